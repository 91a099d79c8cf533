// A norm chosen by name, and where it stands in a layer.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "heed/nn/layer_norm.h"
#include "heed/nn/rms_norm.h"

namespace heed::nn {

enum class NormKind { kLayer, kRms };

// "layer", "rms"; throws UsageError otherwise.
NormKind norm_kind_from(std::string_view name);
std::string name_of(NormKind kind);

// After the residual sum (the original), or before each part (Xiong et al. 2020), which trains deep
// stacks without a warm-up.
enum class NormPlace { kPost, kPre };

// "post", "pre"; throws UsageError otherwise.
NormPlace norm_place_from(std::string_view name);
std::string name_of(NormPlace place);

// One of the two, registered under `name` in the module that it belongs to.
class Norm {
 public:
  Norm() = default;  // none: leaves its input as it is
  struct Options {
    NormKind kind = NormKind::kLayer;
    int64_t width = 0;  // C
  };
  Norm(torch::nn::Module& owner, const std::string& name, const Options& options);

  // (..., C) -> (..., C).
  at::Tensor forward(const at::Tensor& input) const;

  std::shared_ptr<LayerNorm> layer;  // one of them is not null
  std::shared_ptr<RmsNorm> rms;
};

}  // namespace heed::nn
