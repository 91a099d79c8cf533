// What encoders and decoders have in common: layers that may differ, in turn or by their place, and
// that may share their weights. Used inside this folder.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/base/error.h"
#include "heed/nn/transformer/layer_options.h"

namespace heed::nn {

// Those of layer `index`, from 0, of a stack with these.
LayerOptions options_of_layer(const LayerOptions& options, int64_t index);

// The patterns of a stack, each once.
struct StackPatterns {
  StackPatterns(int64_t count, const LayerOptions& options);

  std::vector<Pattern> distinct;
  std::vector<size_t> of_layer;  // which of them each layer has
};

// Numbers of the layers that run, in order: 0 … count − 1, or those of groups that share weights.
std::vector<size_t> order_of_layers(int64_t count, const LayerDetails& details);

// Registers layer_0, layer_1 … in `owner` and returns them as they run.
template <typename Layer>
std::vector<std::shared_ptr<Layer>> make_layers(torch::nn::Module& owner, int64_t count,
                                                const LayerOptions& options) {
  std::vector<std::shared_ptr<Layer>> made;
  std::vector<std::shared_ptr<Layer>> in_order;
  for (const size_t index : order_of_layers(count, options.details)) {
    while (made.size() <= index) {
      const int64_t next = static_cast<int64_t>(made.size());
      auto layer = std::make_shared<Layer>(options_of_layer(options, next));
      if (next > 0) layer->attention->share_relative_buckets(*made[0]->attention);
      made.push_back(owner.register_module(text_of("layer_", next), layer));
    }
    in_order.push_back(made[index]);
  }
  return in_order;
}

}  // namespace heed::nn
