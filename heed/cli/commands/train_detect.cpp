#include <algorithm>
#include <iostream>
#include <utility>

#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/image_sets.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/tasks/image/object_detection.h"
#include "heed/tasks/image/region_baseline.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_detect_defaults() {
  training::TrainingOptions options;
  options.epochs = 20;
  options.batch_size = 16;
  options.lr = 1e-3;
  return options;
}

struct TrainDetectSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  PictureShape shape;
  ImageReading reading;
  PictureFolder folder;
  TimedRows rows;
  ReadingOptions table;
  tasks::ObjectDetectionOptions task;
  TrainingSettings training{train_detect_defaults()};
};

struct ObjectParts {
  data::ObjectData train;
  data::ObjectData valid;
};

ObjectParts read_object_parts(const TrainDetectSettings& s) {
  const auto read = [&](const std::vector<std::string>& files,
                        const data::ImageReadOptions& options) {
    return s.folder.read(files, s.reading.completed(options, s.table, s.rows));
  };
  data::ImageReadOptions wanted = s.shape.read_options();
  wanted.has_labels = false;
  ObjectParts parts{.train = read(s.train, wanted), .valid = {}};
  if (!s.valid.empty()) {
    wanted.height = parts.train.pictures.height;
    wanted.width = parts.train.pictures.width;
    wanted.channels = parts.train.pictures.channels;
    wanted.label_names = parts.train.categories;
    parts.valid = read(s.valid, wanted);
    return parts;
  }
  data::DataReport report;
  parts.valid = data::take_validation(parts.train, s.valid_share, s.training.options.seed, report);
  throw_or_warn(report);
  return parts;
}

// "cat 12,8,40,30; dog 60,20,31,44", or that there is nothing.
std::string objects_in(const data::ObjectData& data, size_t picture) {
  std::vector<std::string> objects;
  for (const data::LabeledObject& object : data.objects) {
    if (object.image != static_cast<int64_t>(picture)) continue;
    objects.push_back(
        data.categories[static_cast<size_t>(object.category)] +
        formatted(" %.0f,%.0f,%.0f,%.0f", object.x, object.y, object.width, object.height));
  }
  return objects.empty() ? "nothing" : joined(objects, "; ");
}

// Some of the pictures, with the objects in them.
HeldOut shown_pictures(const data::ObjectData& data) {
  return held_out_of(data.pictures.names.size(), [&](size_t i) {
    return HeldOutExample{.input = data.pictures.names[i], .about = {.right = objects_in(data, i)}};
  });
}

// Objects for which there is no query cannot be found.
void warn_of_crowded_pictures(const data::ObjectData& data, int64_t queries) {
  std::vector<int64_t> counts(static_cast<size_t>(data.count()));
  for (const data::LabeledObject& object : data.objects) {
    if (!object.crowd) ++counts[static_cast<size_t>(object.image)];
  }
  const auto crowded =
      std::count_if(counts.begin(), counts.end(), [&](int64_t count) { return count > queries; });
  if (crowded == 0) return;
  std::cerr << "heed: warning: " << crowded << " pictures have more objects than the " << queries
            << " queries can find, up to " << *std::max_element(counts.begin(), counts.end())
            << "; give more --num-queries\n";
}

// The best model on the pictures that validate, beside regions that stand out.
void report_objects(const tasks::ObjectDetection& task, const std::string& directory) {
  const data::ObjectData& valid = task.valid();
  const auto line = [&](const char* name, const std::vector<metrics::FoundObject>& found) {
    const metrics::DetectionScores scores = metrics::detection_scores(
        tasks::real_objects(valid), found, valid.count(), std::ssize(valid.categories));
    std::cerr << formatted("  %-12sap %.4f  ap50 %.4f\n", name, scores.ap, scores.ap50);
    return scores.ap;
  };
  std::cerr << "heed: on the pictures that validate:\n";
  const double model = line(
      "this model", tasks::found_objects(models::load_object_detector(directory), valid.pictures));
  const double regions = line("regions", tasks::region_baseline(task.train(), valid));
  if (regions >= model) std::cerr << "  the baseline is at least as good as the model\n";
}

void run_train_detect(const TrainDetectSettings& settings) {
  settings.training.prepare();
  tasks::ObjectDetectionOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  ObjectParts parts = read_object_parts(settings);
  const data::ObjectData& train = parts.train;
  std::cerr << "heed: " << train.count() << " pictures train, " << parts.valid.count()
            << " validate; " << pixels_text(train.pictures) << "; " << train.objects.size()
            << " objects of " << train.categories.size() << " categories\n";
  warn_of_crowded_pictures(train, options.model.num_queries);
  tasks::ObjectDetection task(std::move(parts.train), std::move(parts.valid), options);
  settings.training.train(task, shown_pictures(task.valid()));
  report_objects(task, settings.training.out);
}

void define_train_detect(Options& options, TrainDetectSettings& s) {
  add_example_files(options, {s.train, s.valid, s.valid_share},
                    "Files of annotations in COCO's format (images, annotations, categories)");
  s.folder.add_to(options);
  s.shape.add_to(options);
  s.reading.add_max_pixels(options);
  s.rows.add_skip_bad(options);
  s.table.add_max_bytes(options);
  s.table.add_max_classes(options, "Categories, at most");
  visit_fields(s.task, FieldOptions(options));
  // The patches of a picture are what is read at once.
  add_model_options(options, s.task.model, {.help = {{"max_length", ""}}});
  s.training.add_to(options, tasks::ObjectDetection::watchable());
}

}  // namespace

Command train_detect_command() {
  return {
      .path = "train detect",
      .summary = "Train a model that finds objects in pictures, a class and a box for each",
      .examples =
          "  heed train detect --train train.json --out model\n"
          "  heed train detect --train train.json --valid valid.json --images photos --image-size "
          "256 --patch-size 16 --flip true --out model\n"
          "  heed train detect --train train.json --num-queries 50 --skip-bad --out model\n",
      .define = with_settings(define_train_detect, run_train_detect),
  };
}

}  // namespace heed::cli
