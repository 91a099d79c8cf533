// A norm chosen by name.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/nn/layers/layer_norm.h"
#include "heed/nn/layers/rms_norm.h"

namespace heed::nn {

enum class NormKind { kLayer, kRms };

// "layer", "rms"; throws UsageError otherwise.
NormKind norm_kind_from(std::string_view name);
std::string name_of(NormKind kind);
std::vector<std::string> norm_names();

// One of the two, registered under `name` in the module that it belongs to.
class Norm {
 public:
  Norm() = default;  // none: leaves its input as it is
  struct Options {
    NormKind kind = NormKind::kLayer;
    int64_t d_model = 0;    // C
    double epsilon = 0;     // 0: that of the kind
    bool bias = true;       // of a layer norm
    bool adds_one = false;  // an RMS norm multiplies by 1 + weight
  };
  Norm(torch::nn::Module& owner, const std::string& name, const Options& options);

  // (..., C) -> (..., C).
  at::Tensor forward(const at::Tensor& input) const;

  std::shared_ptr<LayerNorm> layer;  // one of them is not null
  std::shared_ptr<RmsNorm> rms;
};

}  // namespace heed::nn
