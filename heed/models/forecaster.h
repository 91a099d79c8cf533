// A transformer that continues time series. A window of the past is normalised, cut into patches,
// each of which is a token, and read by an encoder; one linear layer writes the whole future at
// once.
//                                  Nie et al. 2023, "A Time Series is Worth 64 Words" (PatchTST)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct ForecasterOptions {
  int64_t context_length = 336;  // L: steps of the past that are read
  int64_t horizon = 96;          // F: steps that are written
  int64_t patch_length = 16;
  int64_t patch_stride = 8;
  int64_t num_series = 1;      // S
  int64_t num_covariates = 0;  // K: what is known of the future, too
  // Each series read by itself, with the same weights; false: a token holds a patch of all of them.
  bool channel_independent = true;
  double head_dropout = 0;
  // A linear map from a past to its future beside the transformer, which learns what the map
  // leaves. It does not learn by gradients: whoever makes the model fits it
  // (Forecaster::begin_with).
  bool linear_shortcut = false;
  TransformerOptions transformer = {.d_model = 16,
                                    .num_heads = 4,
                                    .num_layers = 3,
                                    .d_ff = 128,
                                    .attention = {.positions = "learned"},
                                    .dropout = 0.3,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0.3};
};

template <nn::OptionsOf<ForecasterOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("context_length", "Steps of the past that are read"), o.context_length);
  visit(nn::size_field("horizon", "Steps of the future that are written"), o.horizon);
  visit(nn::size_field("patch_length", "Steps of a patch, which is a token"), o.patch_length);
  visit(nn::size_field("patch_stride", "Steps from one patch to the next"), o.patch_stride);
  visit(nn::size_field("num_series"), o.num_series);
  visit(nn::Field{.name = "num_covariates", .most = nn::kLargestSize}, o.num_covariates);
  visit(nn::Field{.name = "channel_independent",
                  .help = "Read each series by itself, with the same weights; false: a token holds "
                          "a patch of all of them"},
        o.channel_independent);
  visit(nn::share_field("head_dropout", "Dropout of what the last layer reads"), o.head_dropout);
  visit(nn::Field{.name = "linear_shortcut",
                  .help = "Fit a linear map from past to future by least squares first; the "
                          "transformer learns what it leaves",
                  .may_be_missing = true},
        o.linear_shortcut);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const ForecasterOptions& options);

// P: patches of a context; the last one holds the last step, repeated to fill it.
int64_t num_patches(const ForecasterOptions& options);

class Forecaster : public torch::nn::Module {
 public:
  explicit Forecaster(const ForecasterOptions& options);

  // past (B, L, S), covariates (B, L + F, K) or undefined without any -> (B, F, S).
  // `trace` gets the attention among patches: of independent series, rows b · S + s.
  at::Tensor forward(const at::Tensor& past, const at::Tensor& covariates = {},
                     nn::AttentionTrace* trace = nullptr) const;

  // With linear_shortcut: from now on, until the transformer has learnt something, the forecast is
  // `map` (F, L), from a past less its last value to the future less the same.
  void begin_with(const at::Tensor& map);

  const ForecasterOptions& options() const { return options_; }

 private:
  // (B, L, S) and (B, L, K) -> (R, P, inputs): R = B · S rows, or B.
  at::Tensor patches(const at::Tensor& past, const at::Tensor& covariates) const;

  ForecasterOptions options_;
  std::shared_ptr<nn::Linear> embedding_;
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> head_;
  std::shared_ptr<nn::Linear> covariate_head_;  // null without covariates
  std::shared_ptr<nn::Linear> shortcut_;        // null without linear_shortcut
};

}  // namespace heed::models
