#include "heed/models/files/weight_check.h"

#include "heed/base/error.h"

namespace heed::models {

void WeightCheck::shape(std::string_view name, const std::vector<int64_t>& expected,
                        const char* field) const {
  if (weights_.at(name).shape == expected) return;
  config_.at(field).fail(text_of("the shape of '", name, "' in ", weights_.name()));
}

void WeightCheck::positions(std::string_view prefix, const TransformerOptions& o,
                            const char* field) const {
  if (o.attention.positions != "learned") return;
  shape(text_of(prefix, ".table"), {o.max_length, o.d_model}, field);
}

void WeightCheck::stack(std::string_view prefix, const TransformerOptions& o) const {
  shape(text_of(prefix, ".layer_0.feed_forward.down.weight"), {o.d_model, o.d_ff}, "d_ff");
  if (o.attention.positions == "relative") {
    shape(text_of(prefix, ".layer_0.attention.relative_table"),
          {o.num_heads, 2 * o.attention.max_relative_positions + 1}, "max_relative_positions");
  }
  present(text_of(prefix, ".layer_", o.num_layers - 1, ".feed_forward.down.weight"));
}

}  // namespace heed::models
