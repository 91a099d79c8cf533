// In what the way into published transformers differs. The defaults are Heed's own.
#pragma once

#include <cstdint>

#include "heed/nn/fields.h"

namespace heed::models {

struct InputDetails {
  int64_t token_types = 0;      // kinds of tokens that have a vector each, added to theirs; 0: none
  bool norm = false;            // of the sum of token, position and type
  int64_t d_embedding = 0;      // of these, brought to C by a linear layer; 0: C, as they are
  int64_t position_offset = 0;  // rows of the table of positions before that of the first token
  bool sinusoid_halves = false;  // all sines, then all cosines
  double scale = 0;              // of the token's vector; 0: what the model does
};

template <nn::OptionsOf<InputDetails> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(Field{.name = "token_types", .most = nn::kLargestSize}, o.token_types);
  visit(Field{.name = "d_embedding", .most = nn::kLargestSize}, o.d_embedding);
  visit(Field{.name = "position_offset", .most = nn::kLargestSize}, o.position_offset);
  visit(Field{.name = "scale", .most = 1e6}, o.scale);
}

}  // namespace heed::models
