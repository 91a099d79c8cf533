#include "heed/tasks/image/image_generation.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "heed/base/error.h"
#include "heed/models/files/label_json.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationCodes = 8192;  // of a batch

int64_t codes_of_image(const models::ImageGeneratorOptions& options) {
  return models::code_options(options).count();
}

void read_batch(const CodedImages& images, int64_t count, CodeBatch& batch) {
  const int64_t rows = std::ssize(batch.examples);
  batch.codes = at::empty({rows, count}, at::kLong);
  batch.classes = at::empty({rows}, at::kLong);
  auto* to = batch.codes.mutable_data_ptr<int64_t>();
  auto* label = batch.classes.mutable_data_ptr<int64_t>();
  for (const int64_t number : batch.examples) {
    to = std::copy_n(images.codes.begin() + number * count, count, to);
    *label++ = images.classes[static_cast<size_t>(number)];
  }
}

models::TrainedImageGenerator fresh_generator(const data::ImageData& train,
                                              const models::ImageGeneratorOptions& given) {
  models::ImageGeneratorOptions options = given;
  options.image_height = train.height;
  options.image_width = train.width;
  options.num_channels = train.channels;
  options.num_classes = std::ssize(train.labels);
  if (options.patch_size == 1) options.codebook_size = options.levels;
  options.transformer.max_length = codes_of_image(options);
  models::check(options);
  const std::vector<uint8_t> codebook =
      models::learnt_codebook(models::code_options(options), train.pixels, options.codebook_size);
  options.codebook_size = std::ssize(codebook) / models::code_options(options).values();
  models::TrainedImageGenerator trained{.model = std::make_shared<models::ImageGenerator>(options),
                                        .labels = train.labels};
  trained.model->set_codebook(codebook);
  return trained;
}

}  // namespace

CodedImages coded(const models::TrainedImageGenerator& trained, const data::ImageData& data) {
  const auto& o = trained.model->options();
  check_usage(data.height == o.image_height && data.width == o.image_width &&
                  data.channels == o.num_channels,
              "pictures: expected ", o.image_width, " × ", o.image_height, " × ", o.num_channels,
              ", got ", data.width, " × ", data.height, " × ", data.channels);
  CodedImages images{.codes = trained.model->codes().encode(data.pixels), .classes = data.classes};
  images.classes.resize(data.names.size());
  return images;
}

ImageGeneration::ImageGeneration(const data::ImageData& train, const data::ImageData& valid,
                                 const models::ImageGeneratorOptions& options) {
  check_usage(train.count() > 0 && valid.count() > 0, "training: expected pictures to train and ",
              "to validate on, got ", train.count(), " and ", valid.count());
  models::check_labels_fit(train.labels);
  trained_ = fresh_generator(train, options);
  train_ = coded(trained_, train);
  valid_ = coded(trained_, valid);
  lengths_.assign(train_.classes.size(), codes_of_image(trained_.model->options()));
}

std::vector<Source> ImageGeneration::sources() const {
  const auto add = [](Checksum& sum, const CodedImages& images) {
    sum.add(images.codes.data(), images.codes.size() * sizeof(uint16_t));
    sum.add(images.classes);
  };
  return {source_of("training data", [&](Checksum& sum) { add(sum, train_); }),
          source_of("validation data", [&](Checksum& sum) { add(sum, valid_); }),
          source_of("labels", [&](Checksum& sum) { sum.add(trained_.labels); })};
}

std::unique_ptr<CodeBatch> ImageGeneration::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<CodeBatch>(std::move(examples));
  read_batch(train_, codes_of_image(trained_.model->options()), *batch);
  return batch;
}

Loss ImageGeneration::loss_of(const CodeBatch& images) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor codes = images.codes.to(device);
  const at::Tensor logits = trained_.model->forward(images.classes.to(device), codes);
  return {.value = heed::cross_entropy(logits, codes),
          .tokens = codes.numel(),
          .weight = static_cast<double>(codes.numel())};
}

Metrics ImageGeneration::validate(const Progress& progress) {
  return generation_metrics(trained_.model->options(), image_nats(trained_, valid_, progress));
}

void ImageGeneration::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<double> image_nats(const models::TrainedImageGenerator& trained,
                               const CodedImages& images, const Progress& progress) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained.model);
  const int64_t count = codes_of_image(trained.model->options());
  std::vector<double> nats(images.classes.size());
  const std::vector<int64_t> lengths(nats.size(), count);
  const int64_t rows = std::max<int64_t>(1, kEvaluationCodes / count);
  for_each_batch(lengths, rows, progress, [&](const std::vector<int64_t>& numbers) {
    CodeBatch batch(numbers);
    read_batch(images, count, batch);
    const at::Tensor codes = batch.codes.to(device);
    const at::Tensor logits = trained.model->forward(batch.classes.to(device), codes);
    const at::Tensor losses =
        heed::cross_entropy(logits, codes, {.reduction = Reduction::kNone}).cpu();
    const auto* from = losses.const_data_ptr<float>();
    for (const int64_t number : numbers) {
      nats[static_cast<size_t>(number)] = std::accumulate(from, from + count, 0.0);
      from += count;
    }
  });
  return nats;
}

double bits_per_dim(const models::ImageGeneratorOptions& options, double nats) {
  return nats / (std::numbers::ln2 * static_cast<double>(models::code_options(options).size()));
}

Metrics generation_metrics(const models::ImageGeneratorOptions& options,
                           const std::vector<double>& nats) {
  check_usage(!nats.empty(), "bits per dimension: expected pictures, got none");
  const auto images = static_cast<double>(nats.size());
  const double mean = std::accumulate(nats.begin(), nats.end(), 0.0) / images;
  return {{"loss", mean / static_cast<double>(codes_of_image(options))},
          {"bits_per_dim", bits_per_dim(options, mean)},
          {"nats_per_image", mean},
          {"examples", images}};
}

double quantization_error(const models::TrainedImageGenerator& trained,
                          const data::ImageData& data) {
  const models::ImageCodes codes = trained.model->codes();
  const auto size = static_cast<size_t>(codes.options().size());
  double sum = 0;
  for (size_t first = 0; first < data.pixels.size(); first += size) {
    const std::span picture(data.pixels.data() + first, size);
    const std::vector<uint16_t> of_picture = codes.encode(picture);
    const std::vector<uint8_t> back =
        codes.decode(std::vector<int64_t>(of_picture.begin(), of_picture.end()));
    for (size_t i = 0; i < size; ++i) {
      const double difference = static_cast<double>(picture[i]) - back[i];
      sum += difference * difference;
    }
  }
  return std::sqrt(sum / static_cast<double>(data.pixels.size()));
}

}  // namespace heed::tasks
