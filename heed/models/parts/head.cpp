#include "heed/models/parts/head.h"

#include <ATen/ATen.h>

#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/models/parts/last_token.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

// (B, N, 1): whether a token is none of its text.
at::Tensor is_padding(const at::Tensor& states, const at::Tensor& lengths) {
  return (at::arange(states.size(1), lengths.options()).unsqueeze(0) >= lengths.unsqueeze(1))
      .unsqueeze(-1);
}

}  // namespace

at::Tensor pooled(const at::Tensor& states, const at::Tensor& lengths, Pooling pooling) {
  switch (pooling) {
    case Pooling::kNone:
      return states;
    case Pooling::kFirst:
      return states.select(1, 0);
    case Pooling::kLast:
      return last_token(states, lengths);
    case Pooling::kMean: {
      if (!lengths.defined()) return states.mean(1);
      const at::Tensor kept = states.masked_fill(is_padding(states, lengths), 0);
      return kept.sum(1) / lengths.clamp_min(1).unsqueeze(1).to(states.scalar_type());
    }
    case Pooling::kMax: {
      if (!lengths.defined()) return states.amax(1);
      const double none = -std::numeric_limits<double>::infinity();
      return states.masked_fill(is_padding(states, lengths), none).amax(1);
    }
  }
  return states;
}

Head::Head(const HeadOptions& options, std::shared_ptr<nn::Embedding> tokens)
    : options_(options), tokens_(std::move(tokens)) {
  int64_t width = options.d_model;
  if (options.d_inner > 0) {
    dense = register_module("dense",
                            std::make_shared<nn::Linear>(nn::LinearOptions{
                                .in = width, .out = options.d_inner, .bias = options.inner_bias}));
    width = options.d_inner;
    if (options.activation != "tanh") activation_from(options.activation);
  }
  if (options.inner_norm) {
    nn::Norm::Options sized = options.norm;
    sized.d_model = width;
    norm = nn::Norm(*this, "norm", sized);
  }
  if (options.tied) {
    check_usage(tokens_ != nullptr, "head: a tied output layer wants the embedding");
    if (options.output_bias) {
      output_bias = register_parameter("output_bias", at::zeros({options.outputs}));
    }
  } else if (options.outputs > 0) {
    output = register_module(
        "output", std::make_shared<nn::Linear>(nn::LinearOptions{
                      .in = width, .out = options.outputs, .bias = options.output_bias}));
  }
}

at::Tensor Head::forward(const at::Tensor& states, const at::Tensor& lengths) const {
  const auto dropped = [&](const at::Tensor& x, double probability) {
    return heed::dropout(x, {.probability = is_training() ? probability : 0});
  };
  at::Tensor x = pooled(states, lengths, options_.pooling);
  if (dense) x = dropped(x, options_.inner_dropout);
  if (dense && options_.activation == "tanh") {
    x = dense->forward(x).tanh();
  } else if (dense) {
    x = dense->forward(x, activation_from(options_.activation));
  }
  x = norm.forward(x);
  if (options_.outputs == 0) return x;
  x = dropped(x, options_.dropout);
  return output ? output->forward(x) : heed::linear(x, tokens_->weight, output_bias);
}

}  // namespace heed::models
