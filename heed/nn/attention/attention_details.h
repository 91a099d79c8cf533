// In what the attention of published transformers differs from each other's and from Vaswani et al.
// 2017. The defaults are Heed's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heed/nn/fields.h"

namespace heed::nn {

// How rotary angles are changed for texts that are longer than those of the training.
struct RotaryScaling {
  std::string kind = "none";  // "linear"; "llama3"; "yarn"           Peng et al. 2023
  double factor = 1;
  double low_factor = 1;       // llama3: wave lengths above original_length / low_factor are scaled
  double high_factor = 4;      // llama3: those below original_length / high_factor are kept
  double original_length = 0;  // tokens of the training
  double fast = 32;            // yarn: rotations over original_length from which on pairs are kept
  double slow = 1;             // yarn: rotations below which they are scaled
  double attention_factor = 1;  // of cosines and sines
};

template <OptionsOf<RotaryScaling> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto positive = [](const char* name) { return Field{.name = name, .most = 1e9}; };
  visit(Field{.name = "rope_type"}, o.kind);
  visit(Field{.name = "factor", .least = 1e-3, .most = 1e6}, o.factor);
  visit(positive("low_freq_factor"), o.low_factor);
  visit(positive("high_freq_factor"), o.high_factor);
  visit(positive("original_max_position_embeddings"), o.original_length);
  visit(positive("beta_fast"), o.fast);
  visit(positive("beta_slow"), o.slow);
  visit(positive("attention_factor"), o.attention_factor);
}

struct AttentionDetails {
  int64_t head_dim = 0;             // D; 0: C / H
  double scale = 0;                 // of the scores; 0: what the score has itself
  bool query_key_norm = false;      // an RMS norm over D of queries and keys, before they rotate
  double query_key_epsilon = 1e-6;  // of that
  std::optional<bool> qkv_bias{};   // of queries, keys and values; none: as other layers
  std::optional<bool> output_bias{};
  double rotary_share = 1;  // of each head that is rotated
  RotaryScaling rotary_scaling = {};
  // Relative positions share a bias in buckets of growing width (Raffel et al. 2020, section 2.1);
  // as many buckets, 0: a bias of each distance. Half of them for each direction, in a decoder all
  // for what came before.
  int64_t relative_buckets = 0;
  bool only_before = false;
};

}  // namespace heed::nn
