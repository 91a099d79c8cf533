#include "heed/nn/layers/subsampling.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"

namespace heed::nn {

at::Tensor without_padding(const at::Tensor& x, const at::Tensor& lengths) {
  if (!lengths.defined()) return x;
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  shape[1] = x.size(1);
  const at::Tensor real =
      at::arange(x.size(1), lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
  return x.masked_fill(real.logical_not().view(shape), 0);
}

Subsampling::Subsampling(const SubsamplingOptions& options) {
  int64_t bins = options.bins;
  for (int64_t factor = options.factor; factor > 1; factor /= 2) {
    check_usage(factor % 2 == 0, "subsampling: expected a power of two, got ", options.factor);
    const size_t layer = weights.size();
    at::Tensor weight = at::empty({options.channels, layer == 0 ? 1 : options.channels, 3, 3});
    at::Tensor flat = weight.view({options.channels, -1});
    init_weight(flat, Init::kScaledNormal);
    weights.push_back(register_parameter(text_of("weight", layer), weight));
    biases.push_back(register_parameter(text_of("bias", layer), at::zeros({options.channels})));
    bins = (bins + 1) / 2;
  }
  projection = register_module(
      "projection",
      std::make_shared<Linear>(LinearOptions{.in = weights.empty() ? bins : options.channels * bins,
                                             .out = options.d_model}));
}

Subsampling::Result Subsampling::forward(const at::Tensor& frames,
                                         const at::Tensor& lengths) const {
  at::Tensor left = lengths;
  at::Tensor x = without_padding(frames, left);
  for (size_t i = 0; i < weights.size(); ++i) {
    x = i == 0 ? x.unsqueeze(1) : x;  // (B, channels, T, M)
    x = at::relu(at::conv2d(x, weights[i], biases[i], /*stride=*/2, /*padding=*/1));
    if (left.defined()) left = at::floor_divide(left + 1, 2);
    if (left.defined()) x = without_padding(x.transpose(1, 2), left).transpose(1, 2);
  }
  if (!weights.empty()) x = x.transpose(1, 2).flatten(2);
  return {.states = projection->forward(x), .lengths = left};
}

}  // namespace heed::nn
