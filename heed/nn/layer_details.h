// In what published transformers differ from each other and from Vaswani et al. 2017. The defaults
// are Heed's own layers; the tables of heed/models/published say which architecture has what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

struct LayerDetails {
  AttentionDetails attention = {};
  double norm_epsilon = 0;     // 0: 1e-5 of layer norms, 1e-6 of RMS norms
  bool norm_bias = true;       // of layer norms
  bool norm_adds_one = false;  // RMS norms multiply by 1 + weight
  std::optional<bool> feed_forward_bias{};
  std::optional<double> hidden_dropout{};  // of the feed-forward hidden layer; none: as others
  bool norm_last = false;                  // with norm_first: another norm behind each part
  bool parallel_parts = false;             // attention and feed-forward read the same x
  bool first_attention_norm = true;        // false: the first layer's attention has none
  bool scale_by_layer = false;             // the scores of layer i, from 0, are divided by i + 1
  std::vector<std::string> patterns = {};  // of the layers in turn, in place of the settings' one
  double local_rope_theta = 0;             // of layers whose pattern is not full; 0: as others
  // Layers that share their weights: `groups` groups, each of `inner_layers` layers that run one
  // after the other, serve as many of the stack's layers; 0: none.                  Lan et al. 2020
  int64_t layer_groups = 0;
  int64_t inner_layers = 1;
};

template <OptionsOf<LayerDetails> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(Field{.name = "head_dim", .most = kLargestSize}, o.attention.head_dim);
  visit(Field{.name = "scale", .most = 1e6}, o.attention.scale);
  visit(Field{.name = "rotary_share", .least = 1e-6, .most = 1}, o.attention.rotary_share);
  visit(Field{.name = "relative_buckets", .most = 1 << 16}, o.attention.relative_buckets);
  visit(Field{.name = "norm_epsilon", .most = 1}, o.norm_epsilon);
  visit(Field{.name = "local_rope_theta", .most = 1e12}, o.local_rope_theta);
  visit(Field{.name = "layer_groups", .most = kMostLayers}, o.layer_groups);
  visit(Field{.name = "inner_layers", .least = 1, .most = kMostLayers}, o.inner_layers);
  visit_fields(o.attention.rotary_scaling, visit);
}

}  // namespace heed::nn
