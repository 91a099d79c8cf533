#include "heed/models/parts/sound_input.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"

namespace heed::models {
namespace {

at::Tensor sound_kernel(int64_t out, int64_t in) {
  at::Tensor kernel = at::empty({out, in, SoundInput::kKernel});
  at::Tensor flat = kernel.view({out, -1});
  nn::init_weight(flat, nn::Init::kScaledNormal);
  return kernel;
}

}  // namespace

SoundInput::SoundInput(const SoundInputOptions& options) {
  const int64_t width = options.d_model;
  first_weight = register_parameter("first_weight", sound_kernel(width, options.num_mel_bins));
  first_bias = register_parameter("first_bias", at::zeros({width}));
  second_weight = register_parameter("second_weight", sound_kernel(width, width));
  second_bias = register_parameter("second_bias", at::zeros({width}));
  positions =
      register_module("positions", std::make_shared<nn::LearnedPositions>(nn::PositionsOptions{
                                       .max_length = options.max_length, .d_model = width}));
  positions->table.requires_grad_(false);
}

at::Tensor SoundInput::forward(const at::Tensor& frames) const {
  check_usage(frames.dim() == 3 && frames.size(2) == first_weight.size(1),
              "frames: expected (B, T, ", first_weight.size(1), "), got ", frames.sizes());
  at::Tensor x = frames.transpose(1, 2);
  x = at::gelu(at::conv1d(x, first_weight, first_bias, /*stride=*/1, /*padding=*/1));
  x = at::gelu(at::conv1d(x, second_weight, second_bias, /*stride=*/2, /*padding=*/1));
  return positions->forward(x.transpose(1, 2).contiguous());
}

}  // namespace heed::models
