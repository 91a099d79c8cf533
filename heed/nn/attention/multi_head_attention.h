// Multi-head attention: project, attend in each head, join the heads, project.
//                                                                Vaswani et al. 2017, section 3.2.2
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/attention/attention_heads.h"
#include "heed/nn/attention/key_value_cache.h"
#include "heed/nn/attention/rotary.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/layers/rms_norm.h"
#include "heed/ops/attention.h"

namespace heed::nn {

// What a self-attention layer needs besides its input.
struct SelfAttentionContext {
  Pattern pattern;
  TokenPositions positions = {};   // of the input's tokens
  KeyValueCache* cache = nullptr;  // what came before; takes the new keys and values
  AttentionTrace* trace = nullptr;
  const PackedRows* packed = nullptr;  // the input is these, (1, T, C); not with a cache
};

// Self-attention.
class MultiHeadAttention : public AttentionHeads {
 public:
  explicit MultiHeadAttention(const MultiHeadAttentionOptions& options);

  // (B, N, C) -> (B, N, C), or both packed; the pattern, the positions and the trace are those of
  // rows all the same. With a cache, the keys are those that it holds and the new ones.
  at::Tensor forward(const at::Tensor& input, const SelfAttentionContext& context) const;
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern = {},
                     AttentionTrace* trace = nullptr) const {
    return forward(input, SelfAttentionContext{.pattern = pattern, .trace = trace});
  }

  std::vector<ShardedTensor> splits() const override;

  std::shared_ptr<Linear> query_key_value;  // C -> (H + 2 · Hk) · D, one product for all three
  std::shared_ptr<Linear> output;           // H · D -> C
  std::shared_ptr<RmsNorm> query_norm;      // over D; null: none
  std::shared_ptr<RmsNorm> key_norm;

 private:
  // (B, N, (H + 2 · Hk) · D) with queries and keys normalised, where they are.
  at::Tensor normalised(const at::Tensor& projected) const;

  std::unique_ptr<Rotary> rotary_;  // null: other positions
};

// Cross-attention: queries of one sequence, keys and values of another, the memory.
class CrossAttention : public AttentionHeads {
 public:
  // options.d_memory: of the memory; 0: C. Positions of the settings are left aside: those of
  // two sequences have nothing to do with each other.
  explicit CrossAttention(const MultiHeadAttentionOptions& options);

  // memory (Bm, Nm, Cm) -> keys and values, one product for both.
  ProjectedMemory project(const at::Tensor& memory) const;

  // input (B, N, C) -> (B, N, C), B divisible by Bm: rows b · k .. b · k + k − 1 read memory b. The
  // pattern is one of (Bm, H, N · k, Nm) pairs, and full, or one of the keys alone, where k > 1.
  at::Tensor forward(const at::Tensor& input, const ProjectedMemory& memory,
                     const Pattern& pattern = {}, AttentionTrace* trace = nullptr) const;

  std::vector<ShardedTensor> splits() const override;

  std::shared_ptr<Linear> query;      // C -> H · D
  std::shared_ptr<Linear> key_value;  // Cm -> 2 · Hk · D
  std::shared_ptr<Linear> output;     // H · D -> C
};

}  // namespace heed::nn
