// What a user chooses about attention, as text and numbers: what command lines offer, what model
// files hold, what layers are built from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "heed/nn/fields.h"
#include "heed/ops/pattern.h"

namespace heed::nn {

struct AttentionSettings {
  // dot, scaled_dot, cosine, additive, or a score that was added by name (heed/ops/attention.h).
  std::string score = "scaled_dot";
  // Which tokens see each other, besides what a model demands (causal, padding): see pattern_from.
  std::string pattern = "full";
  // How a model knows the order of its tokens: none; sinusoidal, learned (added to the embedding);
  // rotary, alibi, relative (inside each self-attention).
  std::string positions = "sinusoidal";
  double softcap = 0;                    // scores become softcap · tanh(score / softcap); 0: none
  int64_t num_key_value_heads = 0;       // Hk, a divisor of num_heads; 0: as many as heads
  double rope_theta = 10'000;            // of rotary positions
  int64_t max_relative_positions = 128;  // of relative positions: farther tokens share a bias
};

template <OptionsOf<AttentionSettings> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(Field{.name = "score", .may_be_missing = true}, o.score);
  visit(Field{.name = "pattern", .may_be_missing = true}, o.pattern);
  visit(Field{.name = "positions", .may_be_missing = true}, o.positions);
  visit(Field{.name = "softcap", .most = 1e6, .may_be_missing = true}, o.softcap);
  visit(Field{.name = "num_key_value_heads", .most = kLargestSize, .may_be_missing = true},
        o.num_key_value_heads);
  visit(Field{.name = "rope_theta", .least = 1, .most = 1e12, .may_be_missing = true},
        o.rope_theta);
  visit(
      Field{.name = "max_relative_positions", .least = 1, .most = 1 << 20, .may_be_missing = true},
      o.max_relative_positions);
}

// Throws UsageError naming the field that cannot be used, in a model with that many heads of that
// size (0: unknown).
struct HeadSizes {
  int64_t num_heads = 0;
  int64_t size = 0;  // D
};
void check(const AttentionSettings& settings, const HeadSizes& sizes = {});

// Hk.
inline int64_t key_value_heads_of(const AttentionSettings& settings, int64_t heads) {
  return settings.num_key_value_heads == 0 ? heads : settings.num_key_value_heads;
}

// A pattern as text: a name and its numbers behind colons, joined with & (both; binds closer) and |
// (either), with round brackets where wanted:
//
//   full   causal   window:64:64 (left:right)   dilated:8:8:2 (left:right:dilation)   global:4
//   window:64:64|global:2
//
// Every kind of pattern that takes numbers only is known (heed/ops/attention/pattern_kinds.cpp);
// `global` is short for global_tokens. Throws UsageError saying where the text is wrong and what
// was expected.
Pattern pattern_from(std::string_view text);

// The text that pattern_from reads as the same pattern. Throws UsageError where the pattern has
// tensors (lengths, masks, graphs), which have no text.
std::string text_of_pattern(const Pattern& pattern);

}  // namespace heed::nn
