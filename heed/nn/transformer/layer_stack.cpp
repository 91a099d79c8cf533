#include "heed/nn/transformer/layer_stack.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace heed::nn {
namespace {

const std::string& pattern_of_layer(const LayerOptions& options, int64_t index) {
  const auto& in_turn = options.details.patterns;
  return in_turn.empty() ? options.attention.pattern
                         : in_turn[static_cast<size_t>(index) % in_turn.size()];
}

}  // namespace

LayerOptions options_of_layer(const LayerOptions& options, int64_t index) {
  LayerOptions own = options;
  own.attention.pattern = pattern_of_layer(options, index);
  if (options.details.local_rope_theta > 0 && own.attention.pattern != "full") {
    own.attention.rope_theta = options.details.local_rope_theta;
  }
  if (options.details.scale_by_layer) {
    const auto head_dim = static_cast<double>(head_dim_of(attention_options(options)));
    double& scale = own.details.attention.scale;
    scale = (scale > 0 ? scale : 1 / std::sqrt(head_dim)) / static_cast<double>(index + 1);
  }
  if (index > 0) {
    own.details.first_attention_norm = true;
    own.details.attention.relative_buckets = 0;  // those of the first layer
    if (options.details.attention.relative_buckets > 0) own.attention.positions = "none";
  }
  return own;
}

StackPatterns::StackPatterns(int64_t count, const LayerOptions& options) {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < count; ++i) {
    const std::string& text = pattern_of_layer(options, i);
    const auto found = std::find(texts.begin(), texts.end(), text);
    of_layer.push_back(static_cast<size_t>(found - texts.begin()));
    if (found != texts.end()) continue;
    texts.push_back(text);
    distinct.push_back(pattern_from(text));
  }
}

std::vector<size_t> order_of_layers(int64_t count, const LayerDetails& details) {
  std::vector<size_t> order;
  const int64_t groups = details.layer_groups;
  for (int64_t i = 0; i < count; ++i) {
    if (groups == 0) {
      order.push_back(static_cast<size_t>(i));
      continue;
    }
    for (int64_t inner = 0; inner < details.inner_layers; ++inner) {
      order.push_back(static_cast<size_t>(i * groups / count * details.inner_layers + inner));
    }
  }
  return order;
}

}  // namespace heed::nn
