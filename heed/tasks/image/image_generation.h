// Learning to write pictures of a class, code by code.
//
// How well is measured in bits per dimension: −log₂ p(picture | class) / (height · width ·
// channels).                  Theis, van den Oord & Bethge 2016, "A note on the evaluation of
// generative models", section 3.1; van den Oord et al. 2016, "Pixel Recurrent Neural Networks",
// section 5.1
// p is that of the picture's codes. Where these are exact (ImageCodes::is_exact) it is that of the
// picture of `levels`, and with 256 of them of the picture as it was; otherwise it is that of the
// quantised picture alone, which is easier to predict, and no figure to hold beside others.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/images/image_data.h"
#include "heed/inference/sampling.h"
#include "heed/inference/step_decoder.h"
#include "heed/models/files/image_generator_files.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

// Pictures as a model reads them.
struct CodedImages {
  std::vector<uint16_t> codes;   // (N, T)
  std::vector<int32_t> classes;  // N
  int64_t count() const { return static_cast<int64_t>(classes.size()); }
};

// Throws UsageError for pictures of another size than the model's. Those without classes are of
// class 0.
CodedImages coded(const models::TrainedImageGenerator& trained, const data::ImageData& data);

struct CodeBatch final : Batch {
  using Batch::Batch;
  at::Tensor codes;    // (B, T)
  at::Tensor classes;  // (B)
};

class ImageGeneration final : public TaskOf<CodeBatch> {
 public:
  // A fresh model: the codebook is learnt from the pictures that train, sizes and classes are read
  // from them, weights come from torch's default generator. `valid` has the sizes and the classes
  // of `train`. Throws UsageError for options that cannot be used.
  ImageGeneration(const data::ImageData& train, const data::ImageData& valid,
                  const models::ImageGeneratorOptions& options);

  std::string name() const override { return "image-generation"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<CodeBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const CodeBatch& batch) override;  // mean over all codes, nats
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "loss");
  }
  static std::vector<Watched> watchable() { return {lowest("loss"), lowest("bits_per_dim")}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedImageGenerator& trained() const { return trained_; }
  const CodedImages& train() const { return train_; }
  const CodedImages& valid() const { return valid_; }

 private:
  models::TrainedImageGenerator trained_;
  CodedImages train_;
  CodedImages valid_;
  std::vector<int64_t> lengths_;
};

// −log p of each picture's codes given its class, nats. Without gradients, in evaluation mode.
std::vector<double> image_nats(const models::TrainedImageGenerator& trained,
                               const CodedImages& images, const Progress& progress = {});

// Bits per dimension of a picture with so many nats.
double bits_per_dim(const models::ImageGeneratorOptions& options, double nats);

// loss (nats per code), bits_per_dim, nats_per_image, examples. Throws UsageError for no pictures.
Metrics generation_metrics(const models::ImageGeneratorOptions& options,
                           const std::vector<double>& nats);

// Root of the mean squared difference between pictures and what their codes stand for, in values
// from 0 to 255: what quantisation loses.
double quantization_error(const models::TrainedImageGenerator& trained,
                          const data::ImageData& data);

// Bits per dimension of what a sceptic would try first, counted on the codes that train: each code
// by its place alone ("place"), by place and class ("place, class"), by the code before it alone
// ("code before"). One count is spread over the codes that might have been. None where there are
// more than 4,096 codes.
std::vector<std::pair<std::string, double>> generation_baselines(
    const models::ImageGeneratorOptions& options, const CodedImages& train,
    const CodedImages& measured);

struct ImageSamplingOptions {
  inference::SamplingOptions sampling = {};
  int64_t count = 1;
  std::function<bool()> cancelled = {};  // asked before each code; true: Interrupted is thrown
};

// Pictures of a class, written code by code with the keys and values of what is there kept. Sample
// number i is the same whatever the count and the number of threads are; classes draw other
// numbers. Throws UsageError for a class that there is not, and as inference::check does.
std::vector<data::Image> sampled_images(const models::TrainedImageGenerator& trained, int64_t label,
                                        const ImageSamplingOptions& options);

}  // namespace heed::tasks
