#include "heed/nn/decoder.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/base/error.h"
#include "heed/nn/attention/decoder_pattern.h"
#include "heed/nn/transformer/layer_stack.h"
#include "heed/nn/transformer/recompute.h"

namespace heed::nn {
namespace {

// The layer, run again in the backward pass; the memory is an input as x is.
at::Tensor again(const std::shared_ptr<DecoderLayer>& layer, const at::Tensor& x,
                 const DecoderLayer::Context& context, const std::vector<at::Tensor>& learnt) {
  std::vector<at::Tensor> inputs = {x};
  if (context.memory != nullptr) {
    inputs.push_back(context.memory->key);
    inputs.push_back(context.memory->value);
  }
  const auto run = [layer, context](const std::vector<at::Tensor>& given) {
    ProjectedMemory memory;
    DecoderLayer::Context now = context;
    if (given.size() > 1) {
      memory = {.key = given[1], .value = given[2]};
      now.memory = &memory;
    }
    return layer->forward(given[0], now);
  };
  return recomputed(run, inputs, learnt);
}

}  // namespace

Decoder::Decoder(int64_t count, const LayerOptions& options)
    : patterns_(std::make_shared<const StackPatterns>(
          std::ssize(order_of_layers(count, options.details)), options)) {
  layers = make_layers<DecoderLayer>(*this, count, options);
  if (options.norm_first) {
    final_norm = Norm(*this, "final_norm", norm_options(options));
  }
}

std::vector<ProjectedMemory> Decoder::project(const Memory& memory) const {
  std::vector<ProjectedMemory> projected;
  for (const auto& layer : layers) {
    check_usage(layer->cross_attention != nullptr,
                "decoder: it has no cross-attention, but a memory came");
    projected.push_back(layer->cross_attention->project(memory.states));
  }
  return projected;
}

at::Tensor Decoder::forward(const at::Tensor& input, const DecoderContext& context) const {
  const c10::AutoGradMode gradients(at::GradMode::is_enabled() && context.cache == nullptr);
  DecoderCache none;
  DecoderCache& cache = context.cache != nullptr ? *context.cache : none;
  cache.layers.resize(layers.size());
  cache.carried.resize(layers.size());
  if (context.memory != nullptr && cache.memory.empty()) {
    cache.memory = project(*context.memory);
    cache.memory_lengths = context.memory->lengths;
  }
  const TokenPositions positions = cache.positions();
  std::vector<Pattern> patterns;
  for (const Pattern& each : patterns_->distinct) {
    patterns.push_back(decoder_pattern({.own = each,
                                        .positions = positions,
                                        .batch = input.size(0),
                                        .count = input.size(1),
                                        .lengths = context.lengths}));
  }
  const Pattern memory_pattern = cache.memory_lengths.defined()
                                     ? Pattern::padded({.key = cache.memory_lengths})
                                     : Pattern::full();
  at::Tensor x = input;
  const bool recompute =
      context.cache == nullptr && context.trace == nullptr && GradientCheckpointing::is_on();
  const std::vector<at::Tensor> learnt = recompute ? parameters() : std::vector<at::Tensor>();
  for (size_t i = 0; i < layers.size(); ++i) {
    const DecoderLayer::Context own = {
        .self = {.pattern = patterns[patterns_->of_layer[i]],
                 .positions = positions,
                 .cache = context.cache != nullptr ? &cache.layers[i] : nullptr,
                 .trace = context.trace},
        .memory = cache.memory.empty() ? nullptr : &cache.memory[i],
        .memory_pattern = memory_pattern,
        .lengths = context.lengths,
        .carried = context.cache != nullptr ? &cache.carried[i] : nullptr};
    x = recompute ? again(layers[i], x, own, learnt) : layers[i]->forward(x, own);
  }
  cache.advance(input.size(1), context.lengths);
  return final_norm.forward(x);
}

}  // namespace heed::nn
