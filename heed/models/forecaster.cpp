#include "heed/models/forecaster.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <tuple>

#include "heed/base/error.h"
#include "heed/models/parts/token_input.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

constexpr double kSmallestDeviation = 1e-5;  // a window that does not move is not divided by zero

// (B, N, K) -> (B, N_padded, K): the last step repeated `count` times behind it.
at::Tensor repeat_last(const at::Tensor& x, int64_t count) {
  if (count == 0) return x;
  return at::cat({x, x.narrow(1, x.size(1) - 1, 1).expand({x.size(0), count, x.size(2)})}, 1);
}

}  // namespace

void check(const ForecasterOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.transformer);
  check_usage(o.patch_length <= o.context_length, "patch_length: expected at most context_length (",
              o.context_length, "), got ", o.patch_length);
  check_usage(o.patch_stride <= o.patch_length, "patch_stride: expected at most patch_length (",
              o.patch_length, "), got ", o.patch_stride);
}

int64_t num_patches(const ForecasterOptions& o) {
  const int64_t beyond = o.context_length - o.patch_length;
  return (beyond + o.patch_stride - 1) / o.patch_stride + 1;
}

Forecaster::Forecaster(const ForecasterOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& transformer = options.transformer;
  const int64_t channels = options.channel_independent ? 1 : options.num_series;
  const int64_t patches = num_patches(options);
  const auto linear = [&](const char* name, int64_t in, int64_t out) {
    return register_module(name,
                           std::make_shared<nn::Linear>(nn::LinearOptions{.in = in, .out = out}));
  };
  embedding_ = linear("embedding", options.patch_length * (channels + options.num_covariates),
                      transformer.d_model);
  positions_ = make_positions(transformer.attention.positions,
                              {.max_length = patches, .d_model = transformer.d_model});
  if (positions_) register_module("positions", positions_);
  encoder_ = register_module(
      "encoder", std::make_shared<nn::Encoder>(transformer.num_layers, layer_options(transformer)));
  head_ = linear("head", patches * transformer.d_model, options.horizon * channels);
  if (options.num_covariates > 0) {
    covariate_head_ = linear("covariate_head", options.num_covariates, channels);
  }
  nn::init_linear_layers(*this, nn::init_from(transformer.init));
  if (!options.linear_shortcut) return;
  shortcut_ = register_module(
      "shortcut", std::make_shared<nn::Linear>(nn::LinearOptions{
                      .in = options.context_length, .out = options.horizon, .bias = false}));
  shortcut_->weight.requires_grad_(false);
  shortcut_->weight.zero_();
}

void Forecaster::begin_with(const at::Tensor& map) {
  check_usage(shortcut_ != nullptr, "linear_shortcut: expected true, got false");
  const c10::AutoGradMode no_gradients(false);
  shortcut_->weight.copy_(map);
  for (const auto& layer : {head_, covariate_head_}) {
    if (!layer) continue;
    layer->weight.zero_();
    layer->bias.zero_();
  }
}

at::Tensor Forecaster::patches(const at::Tensor& past, const at::Tensor& covariates) const {
  const ForecasterOptions& o = options_;
  const int64_t steps = o.patch_length + (num_patches(o) - 1) * o.patch_stride;
  const int64_t batch = past.size(0);
  at::Tensor x = past;
  if (o.channel_independent) x = past.transpose(1, 2).reshape({-1, o.context_length, 1});
  if (o.num_covariates > 0) {
    at::Tensor known = covariates.narrow(1, 0, o.context_length);
    if (o.channel_independent) {
      known = known.unsqueeze(1).expand({batch, o.num_series, -1, -1}).flatten(0, 1);
    }
    x = at::cat({x, known}, 2);
  }
  x = repeat_last(x, steps - o.context_length);
  return x.unfold(1, o.patch_length, o.patch_stride).flatten(2);  // (R, P, channels · patch)
}

at::Tensor Forecaster::forward(const at::Tensor& past, const at::Tensor& covariates,
                               nn::AttentionTrace* trace) const {
  const ForecasterOptions& o = options_;
  check_usage(past.dim() == 3 && past.size(1) == o.context_length && past.size(2) == o.num_series,
              "past: expected (B, ", o.context_length, ", ", o.num_series, "), got ", past.sizes());
  check_usage(o.num_covariates == 0 || (covariates.defined() && covariates.dim() == 3 &&
                                        covariates.size(1) == o.context_length + o.horizon &&
                                        covariates.size(2) == o.num_covariates),
              "covariates: expected (B, ", o.context_length + o.horizon, ", ", o.num_covariates,
              ")");
  // Each window is seen with mean 0 and deviation 1, and written back in its own terms.
  //                                              Kim et al. 2022, reversible instance normalisation
  const at::Tensor mean = past.mean(1, /*keepdim=*/true);
  const at::Tensor deviation =
      past.std(1, /*unbiased=*/false, /*keepdim=*/true) + kSmallestDeviation;
  const double dropout = is_training() ? 1 : 0;
  at::Tensor x = embedding_->forward(patches((past - mean) / deviation, covariates));
  if (positions_) x = positions_->forward(x);
  x = heed::dropout(x, {.probability = dropout * o.transformer.embedding_dropout});
  x = encoder_->forward(x, Pattern::full(), trace);
  x = heed::dropout(x.flatten(1), {.probability = dropout * o.head_dropout});
  x = head_->forward(x);
  x = o.channel_independent ? x.reshape({-1, o.num_series, o.horizon}).transpose(1, 2)
                            : x.reshape({-1, o.horizon, o.num_series});
  if (covariate_head_) {
    x = x + covariate_head_->forward(covariates.narrow(1, o.context_length, o.horizon));
  }
  if (!shortcut_) return x * deviation + mean;
  const at::Tensor last = past.narrow(1, o.context_length - 1, 1);
  const at::Tensor mapped = shortcut_->forward((past - last).transpose(1, 2));  // (B, S, F)
  return x * deviation + mapped.transpose(1, 2) + last;
}

}  // namespace heed::models
