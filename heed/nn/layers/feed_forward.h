// Two linear layers with a non-linearity between them, the same for each position.
//                                                          Vaswani et al. 2017, section 3.3, eq. 2
// Gated: down(activation(gate(x)) · up(x)), three linear layers.            Shazeer 2020, eq. 6
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/nn/layers/linear.h"
#include "heed/nn/parameters/shards.h"

namespace heed::nn {

using heed::Activation;
using heed::activation_from;

// The non-linearity: "relu", "gelu", "gelu_tanh", "silu", and gated "reglu", "geglu", "geglu_tanh",
// "swiglu".
struct FeedForwardKind {
  Activation activation = Activation::kRelu;
  bool gated = false;
};
FeedForwardKind feed_forward_kind_from(std::string_view name);  // throws UsageError otherwise
std::string name_of(const FeedForwardKind& kind);
std::vector<std::string> feed_forward_names();

struct FeedForwardOptions {
  int64_t d_model = 0;  // C
  int64_t d_ff = 0;     // usually 4 · C; gated 8/3 · C, for the same number of weights
  FeedForwardKind kind = {};
  double dropout = 0;  // of the hidden layer
  bool bias = true;
};

// Split over processes, each has some columns of the hidden layer.
class FeedForward : public torch::nn::Module, public Splittable {
 public:
  explicit FeedForward(const FeedForwardOptions& options);

  // (..., C) -> (..., C).
  at::Tensor forward(const at::Tensor& input) const;

  void check_split(int64_t count) const override;
  std::vector<ShardedTensor> splits() const override;
  void set_shards(ShardsPtr shards) override { shards_ = std::move(shards); }

  std::shared_ptr<Linear> up;    // C -> d_ff; gated C -> 2 · d_ff, the gate first
  std::shared_ptr<Linear> down;  // d_ff -> C

 private:
  at::Tensor dropped(const at::Tensor& hidden) const;

  FeedForwardOptions options_;
  ShardsPtr shards_;
};

}  // namespace heed::nn
