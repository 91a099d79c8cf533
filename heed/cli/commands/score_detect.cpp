#include "heed/cli/command.h"

#include <nlohmann/json.hpp>
#include "heed/cli/common.h"
#include "heed/cli/reading/text_files.h"
#include "heed/data/images/object_data.h"
#include "heed/metrics/detection.h"
#include "heed/tasks/image/object_detection.h"

namespace heed::cli {
namespace {

struct ScoreDetectSettings {
  std::string file;
  std::string references;
  ReadingOptions table;
  bool json = false;
};

std::vector<metrics::FoundObject> found_in_file(const ScoreDetectSettings& settings,
                                                const data::ObjectData& real) {
  data::DataReport report;
  const auto rows = data::read_found_objects(settings.file, real, settings.table.limits(), report);
  throw_or_warn(report);
  std::vector<metrics::FoundObject> found;
  for (const data::FoundInFile& row : rows) {
    found.push_back({.image = row.image,
                     .category = row.category,
                     .box = {.x = row.x, .y = row.y, .width = row.width, .height = row.height},
                     .score = row.score});
  }
  return found;
}

void run_score_detect(const ScoreDetectSettings& settings) {
  data::ObjectReadOptions options{.has_pictures = false};
  options.pictures.table.limits = settings.table.limits();
  data::DataReport report;
  const data::ObjectData real = data::read_objects({settings.references}, options, report);
  throw_or_warn(report);
  OrderedJson values = OrderedJson::object();
  for (const auto& [name, value] : tasks::detection_metrics(
           metrics::detection_scores(tasks::real_objects(real), found_in_file(settings, real),
                                     real.count(), std::ssize(real.categories)))) {
    values[name] = value;
  }
  values["objects"] = real.objects.size();
  print_values(values, settings.json);
  flush_output();
}

void define_score_detect(Options& options, ScoreDetectSettings& s) {
  options
      .add("file", s.file,
           "What was found: results in COCO's format, a JSON array, or the JSON of heed predict")
      .required();
  options.add("--references", s.references, "The right objects: annotations in COCO's format")
      .required();
  options.flag("--json", s.json, "Print a JSON object");
  s.table.add_max_bytes(options);
}

}  // namespace

Command score_detect_command() {
  return {.path = "score detect",
          .summary = "Average precision of objects found in pictures, as pycocotools counts it",
          .examples = "  heed score detect results.json --references annotations.json --json\n",
          .define = with_settings(define_score_detect, run_score_detect)};
}

}  // namespace heed::cli
