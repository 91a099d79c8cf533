#include "heed/models/image_generator.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::models {

ImageCodeOptions code_options(const ImageGeneratorOptions& o) {
  return {.height = o.image_height,
          .width = o.image_width,
          .channels = o.num_channels,
          .patch_size = o.patch_size,
          .levels = o.levels};
}

LanguageModelOptions language_model_options(const ImageGeneratorOptions& o) {
  LanguageModelOptions options{.vocab_size = o.codebook_size + o.num_classes,
                               .transformer = o.transformer,
                               .tie_word_embeddings = false};
  options.transformer.max_length = code_options(o).count();
  return options;
}

void check(const ImageGeneratorOptions& o) {
  visit_fields(o, nn::FieldCheck());
  constexpr int64_t kMostCodes = 65'536;
  constexpr int64_t kMostValues = 256;  // of a patch: nearest ones are found by whole numbers
  check_usage(
      o.image_height <= nn::kLargestSize / o.image_width && code_options(o).count() <= kMostCodes,
      "image_height, image_width: expected a picture of at most ", kMostCodes,
      " tokens, got one of ", o.image_width, " × ", o.image_height, " pixels");
  check_usage(code_options(o).values() <= kMostValues, "patch_size: expected a patch of at most ",
              kMostValues, " values, got ", code_options(o).values());
  check_usage(o.patch_size > 1 || o.codebook_size == o.levels,
              "codebook_size: expected the levels (", o.levels, "), as a patch is one value, got ",
              o.codebook_size);
  check(language_model_options(o));
}

ImageGenerator::ImageGenerator(const ImageGeneratorOptions& options) : options_(options) {
  check(options);
  options_.transformer.max_length = code_options(options).count();
  language_model_ = register_module(
      "language_model", std::make_shared<LanguageModel>(language_model_options(options_)));
  codebook_ = register_parameter(
      "codebook", at::zeros({options_.codebook_size, code_options(options_).values()}),
      /*requires_grad=*/false);
}

at::Tensor ImageGenerator::forward(const at::Tensor& classes, const at::Tensor& codes,
                                   nn::AttentionTrace* trace) const {
  const int64_t count = code_options(options_).count();
  check_usage(codes.dim() == 2 && codes.size(1) == count && classes.dim() == 1 &&
                  classes.size(0) == codes.size(0),
              "codes: expected (B, ", count, ") with (B) classes, got ", codes.sizes(), " with ",
              classes.sizes());
  const at::Tensor first = (classes + options_.codebook_size).unsqueeze(1);
  const at::Tensor ids = at::cat({first, codes.narrow(1, 0, count - 1)}, 1);
  return language_model_->forward(TextBatch{.ids = ids}, trace)
      .narrow(2, 0, options_.codebook_size);
}

void ImageGenerator::set_codebook(std::span<const uint8_t> codebook) {
  check_usage(std::ssize(codebook) == codebook_.numel(), "a codebook: expected ", codebook_.sizes(),
              ", got ", codebook.size(), " values");
  const c10::AutoGradMode no_gradients(false);
  const at::Tensor values = at::empty(codebook_.sizes());
  auto* to = values.mutable_data_ptr<float>();
  for (const uint8_t value : codebook) *to++ = static_cast<float>(value) / 255.0F;
  codebook_.copy_(values);
}

ImageCodes ImageGenerator::codes() const {
  const at::Tensor values = codebook_.detach().cpu().contiguous();
  const auto* from = values.const_data_ptr<float>();
  std::vector<uint8_t> codebook;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const float value = std::round(from[i] * 255.0F);
    check_usage(value >= 0 && value <= 255, "a codebook: expected values from 0 to 1, got ",
                from[i]);
    codebook.push_back(static_cast<uint8_t>(value));
  }
  return {code_options(options_), std::move(codebook)};
}

}  // namespace heed::models
