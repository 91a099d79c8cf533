// Writing pictures with a trained generator: the cached decoder and the sampler of language models,
// with the codes as the only tokens.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/inference/generate.h"
#include "heed/tasks/generation/language_model_decoder.h"
#include "heed/tasks/image/image_generation.h"

namespace heed::tasks {
namespace {

// Pictures that are written together: their keys and values are in memory at once. Samples count
// anew in each such group, so this is part of what a seed means.
constexpr int64_t kImagesTogether = 32;

// What follows is a code, never a class.
class CodeDecoder final : public inference::StepDecoder {
 public:
  explicit CodeDecoder(const models::ImageGenerator& model)
      : decoder_(model.language_model()), codes_(model.options().codebook_size) {}

  at::Tensor step(const at::Tensor& ids) override {
    const c10::InferenceMode inference;
    return decoder_.step(ids).narrow(1, 0, codes_);
  }
  void select(const at::Tensor& rows) override { decoder_.select(rows); }
  void reset() override { decoder_.reset(); }
  int64_t capacity() const override { return decoder_.capacity(); }

 private:
  LanguageModelDecoder decoder_;
  int64_t codes_;
};

// Steps by odd numbers: the sampler mixes what comes.
uint64_t seed_of_group(uint64_t seed, int64_t label, int64_t group) {
  return seed + 0x9e3779b97f4a7c15ULL * static_cast<uint64_t>(label + 1) +
         0xd1b54a32d192ed03ULL * static_cast<uint64_t>(group);
}

}  // namespace

std::vector<data::Image> sampled_images(const models::TrainedImageGenerator& trained, int64_t label,
                                        const ImageSamplingOptions& options) {
  const models::ImageGenerator& model = *trained.model;
  const auto& o = model.options();
  check_usage(label >= 0 && label < o.num_classes, "a class: expected its number, from 0 to ",
              o.num_classes - 1, ", got ", label);
  check_usage(options.sampling.repetition_penalty == 1,
              "repetition_penalty: has no meaning for pictures, got ",
              options.sampling.repetition_penalty);
  const models::ImageCodes codes = model.codes();
  CodeDecoder decoder(model);
  std::vector<data::Image> images;
  for (int64_t group = 0; std::ssize(images) < options.count; ++group) {
    inference::GenerateOptions generate;
    generate.sampling = options.sampling;
    generate.max_new_tokens = codes.options().count();
    generate.num_return_sequences = std::min(kImagesTogether, options.count - std::ssize(images));
    generate.cancelled = options.cancelled;
    generate.sampling.seed = seed_of_group(options.sampling.seed, label, group);
    for (const inference::Generated& each :
         inference::generate(decoder, {model.token_of_class(label)}, generate)) {
      if (each.finish == inference::FinishReason::kCancelled) {
        throw Interrupted("pictures: stopped before they were written");
      }
      images.push_back({.height = o.image_height,
                        .width = o.image_width,
                        .channels = o.num_channels,
                        .pixels = codes.decode(each.ids)});
    }
  }
  return images;
}

}  // namespace heed::tasks
