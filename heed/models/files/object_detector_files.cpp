#include "heed/models/files/object_detector_files.h"

#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/pixel_numbers.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kObjectDetectorType = "heed_object_detector";

void check_detector_weights(const WeightCheck& check, const ObjectDetectorOptions& o) {
  const int64_t size = o.transformer.d_model;
  check.shape("class.weight", {o.num_classes + 1, size}, "num_classes");
  if (o.stem == "linear") {
    check.shape("patch.weight", {size, o.num_channels * o.patch_size * o.patch_size}, "patch_size");
  } else {
    check.shape("convolution0_weight", {2 * size / o.patch_size, o.num_channels, 3, 3},
                "patch_size");
  }
  if (o.transformer.attention.positions == "learned") {
    check.shape("positions", {patch_grid(o).count(), size}, "image_height");
  }
  check.stack("encoder", o.transformer);
  check.shape("decoder_layer_0.feed_forward.down.weight", {size, o.transformer.d_ff}, "d_ff");
  check.present(text_of("decoder_layer_", o.num_decoder_layers - 1, ".feed_forward.down.weight"));
}

}  // namespace

void save(const TrainedObjectDetector& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"ObjectDetector"}},
                        {"model_type", kObjectDetectorType},
                        {"task", "detect"},
                        {"torch_dtype", "float32"}};
  config.update(labels_json(trained.labels));
  config["category_ids"] = trained.category_ids;
  config["pixel_means"] = trained.pixel_means;
  config["pixel_deviations"] = trained.pixel_deviations;
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedObjectDetector load_object_detector(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kObjectDetectorType);
  const JsonValue& config = files.config();
  const auto options = fields_from<ObjectDetectorOptions>(config);
  TrainedObjectDetector trained;
  trained.labels = labels_from(config, /*least=*/1);
  if (std::ssize(trained.labels) != options.num_classes) {
    config.at("num_classes").fail(text_of(trained.labels.size(), ", as id2label has"));
  }
  trained.category_ids = config.at("category_ids").integers();
  if (trained.category_ids.size() != trained.labels.size()) {
    config.at("category_ids").fail(text_of(trained.labels.size(), " numbers, as id2label has"));
  }
  trained.pixel_means = pixel_means_from(config, options.num_channels);
  trained.pixel_deviations = pixel_deviations_from(config, options.num_channels);
  trained.model = files.model<ObjectDetector>(options, check_detector_weights);
  return trained;
}

}  // namespace heed::models
