// The layers of heed::nn as torch holds its own: each name is a torch::nn::ModuleHolder, so that
// one word is enough for register_module and torch::nn::Sequential.
//
//   encoder = register_module("encoder", heed::modules::Encoder(2, options));     // in a module
//   torch::nn::Sequential model(heed::modules::Embedding({.num_embeddings = 1000, .embedding_dim =
//   64}),
//                               heed::modules::EncoderLayer(options),
//                               heed::modules::MeanPooling(),
//                               torch::nn::Linear(64, 2));
//
// The constructors take what those of the layers take, and encoder(x, pattern) what its forward()
// takes; the layer is behind the arrow, but for forward(), which takes the input alone there. Who
// uses Sequential includes <torch/nn/modules/container/sequential.h>.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "heed/nn/attention/attention_pooling.h"
#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/crf/crf.h"
#include "heed/nn/decoder.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/embedding.h"
#include "heed/nn/layers/feed_forward.h"
#include "heed/nn/layers/layer_norm.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/layers/mean_pooling.h"
#include "heed/nn/layers/rms_norm.h"

namespace heed::modules {

// A layer whose forward() is one function of one tensor, which is what torch's containers look for.
template <typename Layer>
class OfOneTensor : public Layer {
 public:
  using Layer::Layer;
  at::Tensor forward(const at::Tensor& input) { return Layer::forward(input); }
};

// Made from these arguments.
template <typename Layer, typename... Arguments>
class Holder : public torch::nn::ModuleHolder<OfOneTensor<Layer>> {
 public:
  using Impl = OfOneTensor<Layer>;

  Holder(std::nullptr_t) : torch::nn::ModuleHolder<Impl>(nullptr) {}  // NOLINT: as torch's
  Holder(std::shared_ptr<Impl> module)                                // NOLINT: as torch's
      : torch::nn::ModuleHolder<Impl>(std::move(module)) {}
  explicit Holder(Arguments... arguments)
      : torch::nn::ModuleHolder<Impl>(std::make_shared<Impl>(std::move(arguments)...)) {}

  template <typename... More>
  at::Tensor operator()(const at::Tensor& input, More&&... more) const {
    return static_cast<const Layer&>(*this->get()).forward(input, std::forward<More>(more)...);
  }
};

using AttentionPooling = Holder<nn::AttentionPooling, int64_t>;
using Crf = Holder<nn::Crf, nn::ChainRules>;
using Decoder = Holder<nn::Decoder, int64_t, nn::LayerOptions>;
using Embedding = Holder<nn::Embedding, nn::EmbeddingOptions>;
using Encoder = Holder<nn::Encoder, int64_t, nn::LayerOptions>;
using EncoderLayer = Holder<nn::EncoderLayer, nn::LayerOptions>;
using FeedForward = Holder<nn::FeedForward, nn::FeedForwardOptions>;
using LayerNorm = Holder<nn::LayerNorm, int64_t>;
using LearnedPositions = Holder<nn::LearnedPositions, nn::PositionsOptions>;
using Linear = Holder<nn::Linear, nn::LinearOptions>;
using MeanPooling = Holder<nn::MeanPooling>;
using MultiHeadAttention = Holder<nn::MultiHeadAttention, nn::MultiHeadAttentionOptions>;
using RmsNorm = Holder<nn::RmsNorm, int64_t>;
using SinusoidalPositions = Holder<nn::SinusoidalPositions, nn::PositionsOptions>;

}  // namespace heed::modules
