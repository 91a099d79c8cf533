// A language model of pictures: a picture is a sequence of codes (parts/image_codes.h), row by row,
// behind a token that says its class, and each code is predicted from those before it.
//                        van den Oord et al. 2016, "Pixel Recurrent Neural Networks"; Chen et al.
//                        2020, "Generative Pretraining from Pixels"
//
//   class, codes (B, 1 + T) -> LanguageModel -> logits (B, T, K) of the codes
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <span>

#include "heed/models/language_model.h"
#include "heed/models/parts/image_codes.h"

namespace heed::models {

struct ImageGeneratorOptions {
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t num_channels = 1;
  int64_t num_classes = 0;
  int64_t patch_size = 2;
  int64_t levels = 256;
  int64_t codebook_size = 512;  // K; of patches of one value it is `levels`
  // As of small language models; no dropout, as a run goes over its pictures a few times only.
  TransformerOptions transformer = {.d_model = 128,
                                    .num_heads = 4,
                                    .num_layers = 4,
                                    .d_ff = 341,
                                    .attention = {.positions = "learned"},
                                    .activation = "swiglu",
                                    .norm = "rms",
                                    .dropout = 0,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0};
};

template <nn::OptionsOf<ImageGeneratorOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("image_height"), o.image_height);
  visit(nn::size_field("image_width"), o.image_width);
  visit(nn::Field{.name = "num_channels", .least = 1, .most = 3}, o.num_channels);
  visit(nn::size_field("num_classes"), o.num_classes);
  visit(nn::Field{.name = "patch_size",
                  .help = "Pixels of a patch's side: each patch is a token; 1: each value of a "
                          "pixel is a token",
                  .least = 1,
                  .most = 16},
        o.patch_size);
  visit(nn::Field{.name = "levels",
                  .help = "Values that a pixel may have, evenly spaced",
                  .least = 2,
                  .most = 256},
        o.levels);
  visit(nn::Field{.name = "codebook_size",
                  .help = "Entries of the codebook, at most: the patches that a picture may be "
                          "made of; of patches of one pixel, the levels",
                  .least = 2,
                  .most = 65'536},
        o.codebook_size);
  visit_fields(o.transformer, visit);
}

ImageCodeOptions code_options(const ImageGeneratorOptions& options);

// The vocabulary: the codes, and behind them the classes. Its context: a picture.
LanguageModelOptions language_model_options(const ImageGeneratorOptions& options);

// Throws UsageError naming the field that cannot be used.
void check(const ImageGeneratorOptions& options);

class ImageGenerator : public torch::nn::Module {
 public:
  // The codebook is 0 until set_codebook() or the weights of a directory are there.
  explicit ImageGenerator(const ImageGeneratorOptions& options);

  // Logits (B, T, K) of each code of pictures of these classes: `classes` (B) int64, `codes` (B, T)
  // int64. `trace` gets the attention among the T tokens that are read: the class and all codes but
  // the last.
  at::Tensor forward(const at::Tensor& classes, const at::Tensor& codes,
                     nn::AttentionTrace* trace = nullptr) const;

  // What generation begins with.
  int64_t token_of_class(int64_t label) const { return options_.codebook_size + label; }

  // (K, values) of a code's patch, from 0 to 255. Throws UsageError for another number of them.
  void set_codebook(std::span<const uint8_t> codebook);
  ImageCodes codes() const;

  const std::shared_ptr<LanguageModel>& language_model() const { return language_model_; }
  const ImageGeneratorOptions& options() const { return options_; }

 private:
  ImageGeneratorOptions options_;
  std::shared_ptr<LanguageModel> language_model_;
  at::Tensor codebook_;  // (K, values) from 0 to 1; a constant
};

}  // namespace heed::models
