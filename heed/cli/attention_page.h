// The page of a model's attention, from what it attended to.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/cli/attention_view.h"
#include "heed/viz/attention_page.h"

namespace heed::cli {

// Longer texts get no mean and no rollout, which need the whole matrices.
inline constexpr int64_t kLongestRollout = 4096;

// With these layers and heads, numbered from 0. Rollout (Abnar & Zuidema 2020) follows the mean of
// all heads, half of each look staying where it is, through all layers up to each: only where
// queries and keys are the same tokens. Gradient × attention is what is positive of
// weight · ∂score/∂weight, its largest 1: only where the view has a score.
AttentionPage attention_page(const AttentionView& view, const std::vector<int64_t>& layers,
                             const std::vector<int64_t>& heads);

}  // namespace heed::cli
