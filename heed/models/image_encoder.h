// An encoder of pictures: squares of pixels are its tokens.               Dosovitskiy et al. 2021
//
//   pixels (B, channels, height, width) -> a vector for each square, one more in front for the
//   whole (B, 1 + N, C) + positions -> encoder (B, 1 + N, C)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/transformer_options.h"
#include "heed/nn/encoder.h"

namespace heed::models {

struct ImageEncoderOptions {
  int64_t image_height = 224;  // that the positions are of
  int64_t image_width = 224;
  int64_t patch_height = 16;  // of a square, a divisor
  int64_t patch_width = 16;
  int64_t channels = 3;
  TransformerOptions transformer = {.norm_first = true};
};

// Throws UsageError naming the field that cannot be used.
void check(const ImageEncoderOptions& options);

class ImageEncoder : public torch::nn::Module {
 public:
  explicit ImageEncoder(const ImageEncoderOptions& options);

  // (B, channels, height, width) float32, scaled as the model wants it -> (B, 1 + N, C). Pictures
  // of another size have their positions interpolated, bicubically. Throws UsageError where the
  // shape is not that of whole squares.
  at::Tensor forward(const at::Tensor& pixels, nn::AttentionTrace* trace = nullptr) const;

  const ImageEncoderOptions& options() const { return options_; }

  at::Tensor patch_weight;  // (C, channels, patch_height, patch_width)
  at::Tensor patch_bias;    // (C)
  at::Tensor whole;         // (1, 1, C): what stands in front
  at::Tensor positions;     // (1, 1 + N, C)
  std::shared_ptr<nn::Encoder> encoder;

 private:
  at::Tensor positions_for(int64_t rows, int64_t columns) const;

  ImageEncoderOptions options_;
};

}  // namespace heed::models
