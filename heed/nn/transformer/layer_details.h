// In what published transformers differ from each other and from Vaswani et al. 2017. The defaults
// are Heed's own layers; the tables of heed/models/published say which architecture has what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heed/nn/attention/attention_details.h"
#include "heed/nn/fields.h"

namespace heed::nn {

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
