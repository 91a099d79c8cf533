#include "heed/nn/transformer/before_attention.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

constexpr int64_t kNeighbours = 7;  // Yu et al. 2018, section 4.1

}  // namespace

std::vector<std::string> before_attention_names() {
  std::vector<std::string> names = {"none", "conv"};
  for (const std::string& cell : recurrent_cells()) names.push_back(cell);
  return names;
}

BeforeAttention::BeforeAttention(const LayerOptions& options, Directions directions) {
  const bool both = directions == Directions::kBoth;
  if (options.before_attention == "conv") {
    convolution = register_module(
        "convolution",
        std::make_shared<ConvolutionModule>(ConvolutionOptions{
            .d_model = options.d_model, .kernel_size = kNeighbours, .causal = !both}));
    return;
  }
  check_usage(!both || options.d_model % 2 == 0,
              "before_attention: a recurrent layer of both directions gives each half of d_model, "
              "which must be even, got ",
              options.d_model);
  recurrent = register_module("recurrent", std::make_shared<Recurrent>(RecurrentOptions{
                                               .input_size = options.d_model,
                                               .hidden_size = options.d_model / (both ? 2 : 1),
                                               .cell = options.before_attention,
                                               .bidirectional = both}));
}

at::Tensor BeforeAttention::forward(const at::Tensor& x, const at::Tensor& lengths,
                                    std::vector<at::Tensor>* carried) const {
  if (convolution) {
    at::Tensor before = carried != nullptr && !carried->empty() ? carried->front() : at::Tensor();
    const at::Tensor near =
        convolution->forward(x, lengths, carried != nullptr ? &before : nullptr);
    if (carried != nullptr) *carried = {before};
    return near;
  }
  if (carried == nullptr) return recurrent->forward(x, lengths);
  RecurrentState state;
  if (!carried->empty()) state.hidden = carried->front().unsqueeze(0);
  if (carried->size() > 1) state.cell = carried->back().unsqueeze(0);
  const at::Tensor states = recurrent->forward(x, lengths, &state);
  *carried = {state.hidden.squeeze(0)};
  if (state.cell.defined()) carried->push_back(state.cell.squeeze(0));
  return states;
}

std::shared_ptr<BeforeAttention> make_before_attention(torch::nn::Module& layer,
                                                       const LayerOptions& options,
                                                       Directions directions) {
  if (options.before_attention == "none") return nullptr;
  return layer.register_module("before_attention",
                               std::make_shared<BeforeAttention>(options, directions));
}

}  // namespace heed::nn
