// What a user chooses about attention, as text and numbers: what command lines offer, what model
// files hold, what layers are built from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/nn/fields.h"
#include "heed/ops/pattern.h"

namespace heed::nn {

struct AttentionSettings {
  // dot, scaled_dot, cosine, additive, leaky, or a score that was added by name
  // (heed/ops/attention.h).
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

// The values that score and positions may have; what throws UsageError for a text that is no
// pattern.
std::vector<std::string> score_names();
std::vector<std::string> position_names();
void check_pattern(const std::string& text);

template <OptionsOf<AttentionSettings> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto attention = [](Field field) {
    field.group = "Attention";
    field.may_be_missing = true;
    return field;
  };
  visit(attention(
            {.name = "score", .help = "How similar a query and a key are", .choices = score_names}),
        o.score);
  visit(attention({.name = "pattern",
                   .help = "Which tokens see each other: full, causal, window:LEFT:RIGHT, "
                           "dilated:LEFT:RIGHT:STEP, global:COUNT; joined with & (both) and | "
                           "(either)",
                   .check = check_pattern}),
        o.pattern);
  visit(attention({.name = "positions",
                   .help = "How the order of tokens is known",
                   .choices = position_names}),
        o.positions);
  visit(attention({.name = "softcap",
                   .help = "Scores stay between plus and minus this, by tanh; 0: no limit",
                   .most = 1e6}),
        o.softcap);
  visit(attention({.name = "num_key_value_heads",
                   .help = "Heads of keys and values, each shared by several heads of queries; a "
                           "divisor of num_heads; 0: as many",
                   .most = kLargestSize}),
        o.num_key_value_heads);
  visit(attention({.name = "rope_theta",
                   .help = "Of rotary positions: the base of their angles",
                   .least = 1,
                   .most = 1e12,
                   .above = true}),
        o.rope_theta);
  visit(attention({.name = "max_relative_positions",
                   .help = "Of relative positions: tokens that are farther away share a bias",
                   .least = 1,
                   .most = 1 << 20}),
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
