// What self- and cross-attention share: the score with what it learns, the biases of positions,
// dropout, and the trace of the weights.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "heed/nn/attention/attention_details.h"
#include "heed/nn/attention/attention_settings.h"
#include "heed/nn/attention/split_heads.h"
#include "heed/nn/attention/token_positions.h"
#include "heed/nn/parameters/shards.h"
#include "heed/ops/attention.h"

namespace heed::nn {

class RelativeBuckets;

struct MultiHeadAttentionOptions {
  int64_t d_model = 0;               // C, divisible by num_heads
  int64_t num_heads = 1;             // H
  double dropout = 0;                // of the weights, in training
  AttentionSettings attention = {};  // all but the pattern, which comes with each call
  bool bias = true;                  // of the projections
  int64_t d_memory = 0;              // of cross-attention; 0: C
  AttentionDetails details = {};
};

// D.
int64_t head_dim_of(const MultiHeadAttentionOptions& options);

// Asks the attention layers that see it to leave their weights behind: one (B, H, Nq, Nk) tensor a
// layer, in the order in which the layers ran. The result of a layer does not change.
struct AttentionTrace {
  std::vector<at::Tensor> weights;        // of self-attention
  std::vector<at::Tensor> cross_weights;  // of cross-attention
};

// Split over processes, each has some of the heads, with the keys that belong to them.
class AttentionHeads : public torch::nn::Module, public Splittable {
 public:
  const MultiHeadAttentionOptions& options() const { return options_; }
  HeadCounts counts() const;  // of the heads that are here

  void check_split(int64_t count) const override;
  std::vector<ShardedTensor> splits() const override;
  void set_shards(ShardsPtr shards) override { shards_ = std::move(shards); }

  // From now on takes the bias of positions from `other`, which owns it.
  void share_relative_buckets(const AttentionHeads& other) {
    relative_buckets = other.relative_buckets;
  }

  // H: the heads that are here.
  at::Tensor score_parameter;  // (H) or (H, D): what the score learns; undefined: nothing
  at::Tensor relative_table;   // (H, 2 · reach + 1): relative positions; undefined: others
  std::shared_ptr<RelativeBuckets> relative_buckets;  // null: none

 protected:
  enum class Kind { kSelf, kCross };
  AttentionHeads(const MultiHeadAttentionOptions& options, Kind kind);

  struct Call {
    Heads heads;
    Pattern pattern;
    // Of the queries; their ends are those of the keys unless rows differ.
    TokenPositions positions = {};
    std::vector<at::Tensor>* weights = nullptr;  // of a trace
  };
  // -> (B, Nq, H · D), the heads joined.
  at::Tensor attend(const Call& call) const;

  // The projections of these options.
  std::shared_ptr<Linear> make_input(int64_t in, int64_t heads) const;
  std::shared_ptr<Linear> make_output() const;

  const ShardsPtr& shards() const { return shards_; }

 private:
  MultiHeadAttentionOptions options_;
  at::Tensor alibi_slopes_;  // (H)
  ShardsPtr shards_;
};

}  // namespace heed::nn
