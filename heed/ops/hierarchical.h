// Hierarchical attention: every token attends within its segment in full, and to everything else
// through summaries; the time is linear in the number of tokens for segments of bounded length.
//
//   x⁰ = attention(q⁰, k⁰, v⁰) within the segments of level 0
//   for each level above:  qˡ, kˡ, vˡ = means of qˡ⁻¹, kˡ⁻¹, xˡ⁻¹ over the segments of level l − 1
//                          xˡ = attention(qˡ, kˡ, vˡ) within the segments of level l
//   output = x⁰ + Σ_l xˡ of the segment that the token is in
//
// (Words, sentences, documents: Yang et al. 2016, with means in place of their context vectors;
// a layer that wants learned summaries composes heed::attention with Pattern::packed itself.)
#pragma once

#include <vector>

#include "heed/ops/attention.h"

namespace heed {

struct Hierarchy {
  // offsets[l], int64 (segments + 1): the segments of level l, over tokens for l = 0 and over the
  // segments of the level below otherwise; from 0 to the number of what it divides. The summaries
  // of the last of them attend to each other across no further bounds.
  std::vector<at::Tensor> offsets;
};

struct HierarchicalOptions {
  // Holds at every level; its pattern, within the segments, at level 0 alone. No bias.
  AttentionOptions attention = {};
  // Joined to the segments of the levels above.
  Pattern summary_pattern = {};
};

struct HierarchicalResult {
  at::Tensor output;                    // (B, H, N, Dv)
  std::vector<AttentionResult> levels;  // xˡ (B, H, Nˡ, Dv) and its log-sum-exp
};

// query (B, H, N, D), key (B, Hk, N, D), value (B, Hk, N, Dv): self-attention. Differentiable in
// all. Throws UsageError as heed::attention does, and where the offsets do not fit.
HierarchicalResult hierarchical_attention(const at::Tensor& query, const at::Tensor& key,
                                          const at::Tensor& value, const Hierarchy& hierarchy,
                                          const HierarchicalOptions& options = {});

}  // namespace heed
