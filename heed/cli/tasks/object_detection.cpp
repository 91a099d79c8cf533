// What a detector of objects finds in pictures, how well, and where it looks.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/cli/options/image_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/object_errors.h"
#include "heed/cli/tasks/picture_input.h"
#include "heed/cli/tasks/picture_view.h"
#include "heed/io/atomic.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/image/object_detection.h"

namespace heed::cli {
namespace {

constexpr double kLeastShownScore =
    0.5;                            // from which on an object is shown, where nothing else is said
constexpr size_t kMostPanels = 11;  // of what single queries look at

struct DetectionResults {
  std::string results;

  void add_to(Options& options) {
    options
        .add("--results", results,
             "Of objects: a file to write all of them to, whatever their score, in COCO's format "
             "for results (image_id, category_id, bbox, score)")
        .group("Choosing answers");
  }
};

struct DetectionOptions {
  ImageReading reading = {};
  PictureFolder folder = {};
  TimedRows rows = {};
  ReadingOptions table = {};
  double threshold = kLeastShownScore;
  bool errors = false;
  std::string results = {};

  void check() const { table.parsed(); }
};

// The pictures that were asked about, with their ids where a file of annotations gave them.
struct AskedPictures {
  data::ImageData pictures;
  std::vector<int64_t> ids = {};

  OrderedJson id_of(size_t i) const {
    return ids.empty() ? OrderedJson(pictures.names[i]) : OrderedJson(ids[i]);
  }
};

bool is_annotation_file(const std::string& file) {
  return std::filesystem::path(file).extension() == ".json";
}

std::vector<double> box_numbers(const metrics::PixelBox& box) {
  return {box.x, box.y, box.width, box.height};
}

PictureOverlay::Frame scaled_frame(const metrics::PixelBox& box, const data::ImageSize& size,
                                   const data::ImageData& shown, const std::string& label) {
  const double across = static_cast<double>(shown.width) / static_cast<double>(size.width);
  const double down = static_cast<double>(shown.height) / static_cast<double>(size.height);
  return {.x = box.x * across,
          .y = box.y * down,
          .width = box.width * across,
          .height = box.height * down,
          .label = label};
}

// One of the objects that are shown of a picture.
struct ShownObject {
  int64_t query = 0;
  std::string label;
  PictureOverlay::Frame frame;
};

// What one query gives each patch, the mean over these layers and heads.
PictureOverlay::Layer query_layer(const AttentionView& view, const ShownObject& object,
                                  const std::vector<int64_t>& layers,
                                  const std::vector<int64_t>& heads,
                                  const models::ObjectDetectorOptions& o) {
  at::Tensor sum = at::zeros({std::ssize(view.keys)});
  for (const int64_t layer : layers) {
    for (const int64_t head : heads) sum += view.matrix(layer, head)[object.query];
  }
  PictureOverlay::Layer layer = patch_layer(object.label, sum, models::patch_grid(o), o.patch_size);
  layer.frames = {object.frame};
  layer.frames[0].label = "";  // it is the title
  return layer;
}

// A line for each row of patches: what all the queries with these numbers give them.
void add_patch_lines(const at::Tensor& weights, AttentionView& view) {
  for (int64_t row = 0; row < weights.size(0); ++row) {
    AttentionView::Line line;
    for (int64_t column = 0; column < weights.size(1); ++column) {
      line.tokens.push_back(text_of(row + 1, ',', column + 1));
      line.weights.push_back(weights[row][column].item<float>());
      line.weight += line.weights.back();
    }
    view.lines.push_back(std::move(line));
  }
}

class DetectorAdapter final : public TaskAdapter {
 public:
  DetectorAdapter(models::TrainedObjectDetector trained, DetectionOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields({{"labels", trained_.labels},
                                {"category_ids", trained_.category_ids},
                                {"pixel_means", trained_.pixel_means},
                                {"pixel_deviations", trained_.pixel_deviations}},
                               trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    const data::ObjectData data = options_.folder.read(files, reading());
    const auto found = tasks::found_objects(trained_, data.pictures, progress);
    const auto real = tasks::real_objects(data);
    const metrics::DetectionScores scores =
        metrics::detection_scores(real, found, data.count(), std::ssize(trained_.labels));
    TaskEvaluation result{.metrics = tasks::detection_metrics(scores), .details = {}};
    result.metrics.emplace_back("examples", static_cast<double>(data.count()));
    result.metrics.emplace_back("objects", static_cast<double>(data.objects.size()));
    result.report = formatted("%-20s %8s %8s\n", "category", "ap", "ap50");
    for (size_t k = 0; k < trained_.labels.size(); ++k) {
      if (scores.ap_of_category[k] < 0) continue;  // there is none
      result.details["categories"][trained_.labels[k]] = {{"ap", scores.ap_of_category[k]},
                                                          {"ap50", scores.ap50_of_category[k]}};
      result.report += formatted("%-20s %8.4f %8.4f\n", printable(trained_.labels[k]).c_str(),
                                 scores.ap_of_category[k], scores.ap50_of_category[k]);
    }
    if (options_.errors) {
      result.wrong =
          object_errors(real, found, kLeastShownScore,
                        {.pictures = data.pictures.names, .categories = trained_.labels});
    }
    return result;
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const AskedPictures asked = read_asked(file, answers.report());
    const data::ImageData& pictures = asked.pictures;
    const auto found = tasks::found_objects(trained_, pictures);
    const auto queries = static_cast<size_t>(trained_.model->options().num_queries);
    answer_pictures(pictures, answers, [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      const std::span<const metrics::FoundObject> objects(found.data() + at * queries, queries);
      const std::string& name = pictures.names[at];
      answers.add(name, {{"image", name}}, answer_of(name, asked.id_of(at), objects));
      if (!options_.results.empty()) add_results(asked.id_of(at), objects);
    });
    if (!options_.results.empty()) write_results();
  }

  // Of the patches, of the queries among themselves, or of the queries to the patches: that is
  // drawn over the picture, one object after the other, with its box.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const data::ImageData data = options_.reading.read({argument}, tasks::reading_for(trained_),
                                                       options_.table, options_.rows);
    check_usage(data.count() == 1, argument, ": expected one picture, got ", data.count());
    nn::AttentionRecorder recorder;
    const auto said = trained_.model->forward(tasks::detector_batch(trained_, data, {0}));
    AttentionView view{.title = {}, .details = {}};
    const auto middle = recorder.self.begin() + trained_.model->options().transformer.num_layers;
    using Calls = std::vector<nn::AttendedHeads>;
    view.calls = request.part == "cross"     ? recorder.cross
                 : request.part == "encoder" ? Calls(recorder.self.begin(), middle)
                                             : Calls(middle, recorder.self.end());
    const at::Tensor logits = said.back().logits[0].narrow(-1, 0, std::ssize(trained_.labels));
    if (request.gradients) view.score = logits.amax(-1).sum();
    const at::NoGradGuard no_grad;
    const std::vector<ShownObject> shown = shown_objects(said.back(), data, view);
    name_tokens(request.part, shown, view);
    if (request.part != "cross") return view;
    add_patch_lines(looked_at(shown, view), view);
    view.draw = [view, shown, picture = overlay_of(data, view.title),
                 o = trained_.model->options()](const auto& path, const auto& layers,
                                                const auto& heads) {
      PictureOverlay overlay = picture;
      for (const ShownObject& object : shown) {
        overlay.frames.push_back(object.frame);
        if (overlay.layers.size() == kMostPanels) continue;
        overlay.layers.push_back(query_layer(view, object, layers, heads, o));
      }
      return write_picture_overlay(overlay, path);
    };
    return view;
  }

 private:
  data::ImageReadOptions reading() const {
    return options_.reading.completed(tasks::reading_for(trained_), options_.table, options_.rows);
  }

  AskedPictures read_asked(const std::string& file, data::DataReport& report) const {
    data::ImageReadOptions options = reading();
    options.keep_unusable = true;
    if (!is_annotation_file(file)) {
      AskedPictures asked{.pictures = data::read_images({file}, options, report)};
      say_pictures_left_out(asked.pictures);
      return asked;
    }
    data::ObjectData data = data::read_objects(
        {file}, {.pictures = options, .folder = options_.folder.images, .has_objects = false},
        report);
    say_objects_left_out(data);
    return {.pictures = std::move(data.pictures), .ids = std::move(data.image_ids)};
  }

  Answer answer_of(const std::string& name, const OrderedJson& id,
                   std::span<const metrics::FoundObject> objects) const {
    Answer answer{.line = name,
                  .json = {{"image", name}, {"image_id", id}, {"objects", OrderedJson::array()}}};
    for (const metrics::FoundObject& object : objects) {
      if (object.score < options_.threshold) continue;
      const auto category = static_cast<size_t>(object.category);
      const metrics::PixelBox& box = object.box;
      answer.line += '\t' + answer_line(trained_.labels[category], object.score) +
                     formatted("\t%.1f,%.1f,%.1f,%.1f", box.x, box.y, box.width, box.height);
      answer.json["objects"].push_back({{"category", trained_.labels[category]},
                                        {"category_id", trained_.category_ids[category]},
                                        {"bbox", box_numbers(box)},
                                        {"score", object.score}});
    }
    return answer;
  }

  void add_results(const OrderedJson& id, std::span<const metrics::FoundObject> objects) const {
    for (const metrics::FoundObject& object : objects) {
      const auto category = static_cast<size_t>(object.category);
      results_->push_back({{"image_id", id},
                           {"category_id", trained_.category_ids[category]},
                           {"bbox", box_numbers(object.box)},
                           {"score", object.score}});
    }
  }

  // Of all files so far: whole after each of them.
  void write_results() const {
    AtomicFile out(options_.results);
    out.write("[");
    for (size_t i = 0; i < results_->size(); ++i) {
      out.write((i > 0 ? ",\n" : "") + (*results_)[i].dump());
    }
    out.write("]\n");
    out.commit();
  }

  // Those above the threshold; the title and the details of the view say what they are.
  std::vector<ShownObject> shown_objects(const models::FoundBoxes& said,
                                         const data::ImageData& data, AttentionView& view) const {
    std::vector<ShownObject> shown;
    OrderedJson objects = OrderedJson::array();
    std::vector<std::string> names;
    for (const tasks::QueryObject& found : tasks::objects_of_queries(said, 0, data.sizes[0])) {
      if (found.object.score < options_.threshold) continue;
      const auto category = static_cast<size_t>(found.object.category);
      const std::string& label = trained_.labels[category];
      const std::string title = answer_title(label, found.object.score);
      names.push_back(title);
      objects.push_back({{"category", label},
                         {"category_id", trained_.category_ids[category]},
                         {"bbox", box_numbers(found.object.box)},
                         {"score", found.object.score},
                         {"query", found.query + 1}});
      shown.push_back({.query = found.query,
                       .label = title,
                       .frame = scaled_frame(found.object.box, data.sizes[0], data, label)});
    }
    view.title = printable(std::filesystem::path(data.names[0]).filename().string()) + ": " +
                 (names.empty() ? "nothing found" : joined(names));
    view.details["objects"] = objects;
    return shown;
  }

  void name_tokens(const std::string& part, const std::vector<ShownObject>& shown,
                   AttentionView& view) const {
    const models::PatchGrid grid = models::patch_grid(trained_.model->options());
    std::vector<std::string> patches;
    for (int64_t i = 0; i < grid.count(); ++i) {
      patches.push_back(text_of(i / grid.columns + 1, ',', i % grid.columns + 1));
    }
    std::vector<std::string> queries(static_cast<size_t>(trained_.model->options().num_queries),
                                     "–");
    for (const ShownObject& object : shown) {
      queries[static_cast<size_t>(object.query)] = object.frame.label;
    }
    view.queries = part == "encoder" ? patches : queries;
    view.keys = part == "decoder" ? queries : patches;
  }

  // (rows, columns): the mean over the objects, all layers and heads; zeros where there is none.
  at::Tensor looked_at(const std::vector<ShownObject>& shown, const AttentionView& view) const {
    const models::PatchGrid grid = models::patch_grid(trained_.model->options());
    at::Tensor sum = at::zeros({grid.count()});
    for (int64_t layer = 0; layer < view.layer_count(); ++layer) {
      const at::Tensor mean = view.mean(layer);
      for (const ShownObject& object : shown) sum += mean[object.query];
    }
    const auto count = static_cast<double>(std::max<size_t>(1, shown.size()));
    return (sum / (count * static_cast<double>(view.layer_count())))
        .reshape({grid.rows, grid.columns});
  }

  models::TrainedObjectDetector trained_;
  DetectionOptions options_;
  std::shared_ptr<std::vector<OrderedJson>> results_ = std::make_shared<std::vector<OrderedJson>>();
};

TaskLoader define_object_detection(TaskOptions& options, Use use) {
  if (use == Use::kInspect) {
    return loader_of<DetectorAdapter>([] { return DetectionOptions(); },
                                      models::load_object_detector);
  }
  const auto& reading = options.use<ImageReading>({"max-pixels"});
  if (use == Use::kDoctor) {
    return loader_of<DetectorAdapter>([&reading] { return DetectionOptions{.reading = reading}; },
                                      models::load_object_detector);
  }
  const auto* folder = use != Use::kAttend ? &options.use<PictureFolder>() : nullptr;
  const auto& rows = options.use<TimedRows>({"skip-bad"});
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  const auto* choice = use == Use::kPredict ? &options.use<AnswerChoice>({"threshold"}) : nullptr;
  const auto* results = use == Use::kPredict ? &options.use<DetectionResults>() : nullptr;
  const auto* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
  return loader_of<DetectorAdapter>(
      [&reading, folder, &rows, &table, choice, results, errors] {
        DetectionOptions given{.reading = reading, .rows = rows, .table = table};
        if (folder != nullptr) given.folder = *folder;
        if (choice != nullptr) given.threshold = choice->threshold.value_or(kLeastShownScore);
        if (results != nullptr) given.results = results->results;
        if (errors != nullptr) given.errors = errors->wanted();
        return given;
      },
      models::load_object_detector);
}

}  // namespace

TaskKind object_detection() {
  return {.model_type = "heed_object_detector",
          .name = "detect",
          .define = define_object_detection,
          .attention_parts = {"cross", "encoder", "decoder"}};
}

}  // namespace heed::cli
