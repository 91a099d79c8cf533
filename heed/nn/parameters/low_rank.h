// What a linear layer learns beside its weight, which stays as it is: some of its rows have a
// product of two thin matrices added (LoRA).                                  Hu et al. 2022, eq. 3
//
//   W' = W + s · B · A                             A (r, in), B (rows, r)
//
// With magnitudes (DoRA) each of these rows has a length m that is learnt too; how long it was is
// taken as a constant.                                         Liu et al. 2024, eq. 5 and eq. 11
//
//   W' = m ∘ (W + s · B · A) / ‖W + s · B · A‖
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/layers/linear.h"

namespace heed::nn {

// Rows [begin, begin + count) of a weight. Each part has an A and a B of its own: queries and
// values, say, of a layer that makes queries, keys and values in one product.
struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

struct LowRankOptions {
  std::vector<RowRange> parts = {};  // in order, apart from each other
  int64_t rank = 8;                  // r
  double scale = 1;                  // s
  double dropout = 0;                // of what A reads, in training
  bool magnitudes = false;
};

class LowRank : public torch::nn::Module {
 public:
  // Begins as nothing: A is uniform on ±1/√in, B is zero, magnitudes are the lengths of the rows.
  // Throws UsageError for parts that are not in the weight (out, in).
  LowRank(const at::Tensor& weight, const LowRankOptions& options);

  // (..., in) -> (..., out): activation(x · W'ᵀ + bias).
  at::Tensor forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     Activation activation) const;

  // W'. No gradients.
  at::Tensor merged(const at::Tensor& weight) const;

  const LowRankOptions& options() const { return options_; }

  at::Tensor a;           // (parts · r, in): one A below the other
  at::Tensor b;           // (rows of the parts, r)
  at::Tensor magnitudes;  // (rows of the parts), or undefined

 private:
  at::Tensor spread_b() const;  // (out, parts · r), with the scale
  // whole = W + s · B · A (out, in) -> (out): m / ‖whole‖ of each row of the parts, otherwise 1.
  at::Tensor factors(const at::Tensor& whole) const;
  at::Tensor in_rows(const at::Tensor& values, double other) const;  // (rows of parts) -> (out)

  LowRankOptions options_;
  int64_t out_;
};

// Gives a layer these parts, in place of those that it may have: it computes with W' from then on.
std::shared_ptr<LowRank> set_low_rank(Linear& layer, const LowRankOptions& options);

// Those of a layer; null: it has none.
std::shared_ptr<LowRank> low_rank_of(const Linear& layer);

// Makes them part of its weight.
void merge_low_rank(Linear& layer);

}  // namespace heed::nn
