#include "heed/tasks/image/image_classification.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/models/files/label_json.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/image/pixels.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationImages = 256;
constexpr int64_t kEvaluationPatches = 16'384;  // of a batch, unless one picture has more

double accuracy_of(const at::Tensor& logits, const data::ImageData& data) {
  return metric(scores_of_logits(logits, data.classes).metrics, "accuracy");
}

std::vector<int64_t> every(int64_t step, int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; i += step) numbers.push_back(i);
  return numbers;
}

}  // namespace

void ImageClassification::check_examples() const {
  visit_fields(options_, nn::FieldCheck());
  check_usage(train_.count() > 0 && valid_.count() > 0, "training: expected pictures to train and ",
              "to validate on, got ", train_.count(), " and ", valid_.count());
  if (train_.labels.size() < 2) {
    throw DataError(joined(train_.files),
                    text_of("expected at least 2 classes, found ", train_.labels.size()));
  }
}

ImageClassification::ImageClassification(data::ImageData train, data::ImageData valid,
                                         const ImageClassificationOptions& options)
    : options_(options), train_(std::move(train)), valid_(std::move(valid)) {
  check_examples();
  trained_.labels = train_.labels;
  models::check_labels_fit(trained_.labels);
  PixelScale scale = pixel_scale(train_);
  trained_.pixel_means = std::move(scale.means);
  trained_.pixel_deviations = std::move(scale.deviations);
  models::ImageClassifierOptions model = options.model;
  model.image_height = train_.height;
  model.image_width = train_.width;
  model.num_channels = train_.channels;
  model.num_classes = std::ssize(train_.labels);
  check_classes_fit(text_of(model.num_classes, " classes"),
                    model.num_classes * model.transformer.d_model);
  check_logits_fit(valid_.count(), model.num_classes);
  trained_.model = std::make_shared<models::ImageClassifier>(model);
  begin();
}

ImageClassification::ImageClassification(data::ImageData train, data::ImageData valid,
                                         const ImageClassificationOptions& options,
                                         models::TrainedImageClassifier trained)
    : options_(options),
      trained_(std::move(trained)),
      train_(std::move(train)),
      valid_(std::move(valid)) {
  check_examples();
  check_usage(trained_.labels == train_.labels,
              "training: expected a model with the labels of the data");
  begin();
}

void ImageClassification::begin() {
  const int64_t patches = models::patch_grid(trained_.model->options()).count();
  lengths_.assign(static_cast<size_t>(train_.count()), 1 + patches);
  std::vector<int64_t> counts(train_.labels.size());
  for (const int32_t label : train_.classes) ++counts[static_cast<size_t>(label)];
  class_weights_ = class_weights(options_.class_weight, counts);
}

std::vector<Source> ImageClassification::sources() const {
  const auto add = [](Checksum& sum, const data::ImageData& data) {
    sum.add(data.pixels.data(), data.pixels.size());
    sum.add(data.classes);
  };
  return {source_of("training data", [&](Checksum& sum) { add(sum, train_); }),
          source_of("validation data", [&](Checksum& sum) { add(sum, valid_); }),
          source_of("labels", [&](Checksum& sum) { sum.add(trained_.labels); })};
}

std::unique_ptr<ImageBatch> ImageClassification::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<ImageBatch>(std::move(examples));
  batch->images = image_batch(trained_, train_, batch->examples);
  std::vector<int64_t> labels;
  for (const int64_t i : batch->examples) labels.push_back(train_.classes[static_cast<size_t>(i)]);
  batch->labels = at::tensor(labels);
  return batch;
}

Loss ImageClassification::loss_of(const ImageBatch& images) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor labels = images.labels.to(device);
  const at::Tensor logits =
      trained_.model->forward(augmented(images.images.to(device), options_.augmentation));
  return class_loss(logits, labels, class_weights_, options_.label_smoothing,
                    std::ssize(images.examples) * lengths_[0]);
}

Metrics ImageClassification::validate(const Progress& progress) {
  return scores_of_logits(logits_of(trained_, valid_, progress), valid_.classes).metrics;
}

void ImageClassification::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

at::Tensor image_batch(const models::TrainedImageClassifier& trained, const data::ImageData& data,
                       const std::vector<int64_t>& numbers) {
  const auto& o = trained.model->options();
  check_usage(data.height == o.image_height && data.width == o.image_width &&
                  data.channels == o.num_channels,
              "pictures: expected ", o.image_width, " × ", o.image_height, " × ", o.num_channels,
              ", got ", data.width, " × ", data.height, " × ", data.channels);
  return standardised_pixels(data, numbers, {trained.pixel_means, trained.pixel_deviations});
}

at::Tensor logits_of(const models::TrainedImageClassifier& trained, const data::ImageData& data,
                     const Progress& progress) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained.model);
  at::Tensor all = at::empty({data.count(), trained.model->options().num_classes});
  const std::vector<int64_t> lengths(data.names.size(), 1);
  const int64_t patches = models::patch_grid(trained.model->options()).count();
  const int64_t count = std::clamp<int64_t>(kEvaluationPatches / patches, 1, kEvaluationImages);
  for_each_batch(lengths, count, progress, [&](const std::vector<int64_t>& numbers) {
    const at::Tensor images = image_batch(trained, data, numbers).to(device);
    all.index_copy_(0, at::tensor(numbers), trained.model->forward(images).cpu());
  });
  return all;
}

std::vector<std::pair<std::string, double>> image_baselines(
    const models::TrainedImageClassifier& trained, const data::ImageData& train,
    const data::ImageData& measured) {
  constexpr int64_t kMostNumbers = 4096;
  constexpr int64_t kMostImages = 20'000;
  const at::Tensor classes = at::tensor(train.classes).to(at::kLong);
  const int64_t count = std::ssize(trained.labels);
  const at::Tensor shares = at::bincount(classes, {}, count).to(at::kFloat);
  std::vector<std::pair<std::string, double>> all = {
      {"constant", accuracy_of(shares.expand({measured.count(), -1}), measured)}};
  if (train.size() > kMostNumbers) return all;
  const int64_t step = (train.count() + kMostImages - 1) / kMostImages;
  const std::vector<int64_t> some = every(step, train.count());
  const at::Tensor x = image_batch(trained, train, some).flatten(1);
  const at::Tensor y = at::one_hot(classes.index_select(0, at::tensor(some)), count).to(at::kFloat);
  const at::Tensor mean = y.mean(0, true);
  const at::Tensor products = x.t().matmul(x).to(at::kDouble);
  // A penalty of a hundredth of a pixel's spread.
  const at::Tensor penalty = 0.01 * std::ssize(some) * at::eye(x.size(1), products.options());
  const at::Tensor weights =
      at::linalg_solve(products + penalty, x.t().matmul(y - mean).to(at::kDouble)).to(at::kFloat);
  const at::Tensor answers =
      image_batch(trained, measured, every(1, measured.count())).flatten(1).matmul(weights) + mean;
  all.emplace_back("linear", accuracy_of(answers, measured));
  return all;
}

at::Tensor patch_rollout(const std::vector<at::Tensor>& weights, const models::PatchGrid& grid) {
  at::Tensor heard;
  for (const at::Tensor& layer : weights) {
    const at::Tensor mean = layer.mean(0);
    const at::Tensor look = (mean + at::eye(mean.size(0))) / 2;
    heard = heard.defined() ? look.matmul(heard) : look;
  }
  const at::Tensor patches = heard[0].narrow(0, 1, grid.count());
  return (patches / patches.sum()).reshape({grid.rows, grid.columns});
}

}  // namespace heed::tasks
