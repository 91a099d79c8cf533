#include "heed/nn/layers/norm.h"

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::nn {

NormKind norm_kind_from(std::string_view name) {
  if (name == "layer") return NormKind::kLayer;
  if (name == "rms") return NormKind::kRms;
  throw UsageError(text_of("norm: expected one of ", joined(norm_names()), ", got '", name, "'"));
}

std::vector<std::string> norm_names() { return {"layer", "rms"}; }

std::string name_of(NormKind kind) { return kind == NormKind::kLayer ? "layer" : "rms"; }

Norm::Norm(torch::nn::Module& owner, const std::string& name, const Options& options) {
  if (options.kind == NormKind::kLayer) {
    layer = owner.register_module(
        name, std::make_shared<LayerNorm>(
                  options.d_model, options.epsilon > 0 ? options.epsilon : 1e-5, options.bias));
  } else {
    rms = owner.register_module(
        name, std::make_shared<RmsNorm>(
                  options.d_model, options.epsilon > 0 ? options.epsilon : 1e-6, options.adds_one));
  }
}

at::Tensor Norm::forward(const at::Tensor& input) const {
  if (layer) return layer->forward(input);
  return rms ? rms->forward(input) : input;
}

}  // namespace heed::nn
