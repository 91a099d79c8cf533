#include "heed/models/files/image_classifier_files.h"

#include "heed/models/files/fields.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/number_lists.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kImageClassifierType = "heed_image_classifier";

std::vector<double> channel_numbers(const JsonValue& json, int64_t channels, double least) {
  if (static_cast<int64_t>(json.array_size()) != channels) {
    json.fail(text_of(channels, " numbers, as num_channels says"));
  }
  return numbers_from(json, {.least = least, .most = 1});
}

void check_against_weights(const WeightCheck& check, const ImageClassifierOptions& o) {
  const int64_t size = o.transformer.d_model;
  check.shape("reader", {size}, "d_model");
  if (o.stem == "linear") {
    check.shape("patch.weight", {size, o.num_channels * o.patch_size * o.patch_size}, "patch_size");
  } else {
    check.shape("convolution0_weight", {2 * size / o.patch_size, o.num_channels, 3, 3},
                "patch_size");
  }
  if (o.transformer.attention.positions == "learned") {
    check.shape("positions.table", {1 + patch_grid(o).count(), size}, "image_height");
  }
  check.shape("output.weight", {o.num_classes, size}, "num_classes");
  check.stack("encoder", o.transformer);
}

}  // namespace

void save(const TrainedImageClassifier& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"ImageClassifier"}},
                        {"model_type", kImageClassifierType},
                        {"task", "image"},
                        {"torch_dtype", "float32"}};
  config.update(labels_json(trained.labels));
  config["pixel_means"] = trained.pixel_means;
  config["pixel_deviations"] = trained.pixel_deviations;
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedImageClassifier load_image_classifier(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kImageClassifierType);
  const JsonValue& config = files.config();
  const auto options = fields_from<ImageClassifierOptions>(config);
  TrainedImageClassifier trained;
  trained.labels = labels_from(config);
  if (std::ssize(trained.labels) != options.num_classes) {
    config.at("num_classes").fail(text_of(trained.labels.size(), ", as id2label has"));
  }
  trained.pixel_means = channel_numbers(config.at("pixel_means"), options.num_channels, 0);
  trained.pixel_deviations =
      channel_numbers(config.at("pixel_deviations"), options.num_channels, 1e-6);
  trained.model = files.model<ImageClassifier>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
