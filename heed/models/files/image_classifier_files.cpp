#include "heed/models/files/image_classifier_files.h"

#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/pixel_numbers.h"
#include "heed/models/files/published_files.h"
#include "heed/models/files/weight_check.h"
#include "heed/models/published/assembly.h"
#include "heed/models/published/task_networks.h"

namespace heed::models {
namespace {

constexpr const char* kImageClassifierType = "heed_image_classifier";
constexpr const char* kOneLabelAPicture = "single_label_classification";
constexpr double kLargestByte = 255;

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

void save_published(published::Published& model, const std::filesystem::path& directory) {
  model.set_config("problem_type", kOneLabelAPicture);  // as transformers writes it
  std::vector<published::SavedFile> more;
  const published::Folders& folders = model.folders();
  if (!folders.find("preprocessor_config.json") && !folders.find("processor_config.json")) {
    more.push_back({.name = "preprocessor_config.json",
                    .content = published::preprocessor_text(
                        published::read_image_preparation(folders, model.config()))});
  }
  model.save(directory, more);
}

}  // namespace

void save(const TrainedImageClassifier& trained, const std::filesystem::path& directory) {
  if (trained.published) return save_published(*trained.published, directory);
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

TrainedImageClassifier as_image_classifier(const std::shared_ptr<published::Published>& model) {
  const JsonValue& config = model->config().json();
  if (config.has("problem_type")) {
    config.at("problem_type").one_of<bool>({{kOneLabelAPicture, true}});
  }
  TrainedImageClassifier trained{.labels = model->labels(), .published = model};
  if (trained.labels.size() < 2) {
    throw DataError(config.file(),
                    "field 'id2label': expected 2 labels or more, of which a "
                    "picture has one, found 1");
  }
  const published::ImagePreparation pictures =
      published::read_image_preparation(model->folders(), model->config());
  const double scale = 1 / (kLargestByte * pictures.rescale_factor);
  for (size_t i = 0; i < pictures.image_mean.size(); ++i) {
    trained.pixel_means.push_back(pictures.image_mean[i] * scale);
    trained.pixel_deviations.push_back(pictures.image_std[i] * scale);
  }
  trained.resampling = pictures.resample;
  trained.resizes = pictures.do_resize;
  trained.model = std::make_shared<published::PublishedImageClassifier>(model, pictures);
  trained.model->eval();
  return trained;
}

TrainedImageClassifier load_image_classifier(const std::filesystem::path& directory) {
  if (is_published(directory)) {
    return as_image_classifier(open_model(directory, published::Purpose::kImageClassification));
  }
  const ModelDirectory files(directory, kImageClassifierType);
  const JsonValue& config = files.config();
  const auto options = fields_from<ImageClassifierOptions>(config);
  TrainedImageClassifier trained;
  trained.labels = labels_from(config);
  if (std::ssize(trained.labels) != options.num_classes) {
    config.at("num_classes").fail(text_of(trained.labels.size(), ", as id2label has"));
  }
  trained.pixel_means = pixel_means_from(config, options.num_channels);
  trained.pixel_deviations = pixel_deviations_from(config, options.num_channels);
  trained.model = files.model<ImageClassifier>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
