#include "heed/models/files/weight_check.h"

#include "heed/base/error.h"

namespace heed::models {

void WeightCheck::shape(std::string_view name, const std::vector<int64_t>& expected,
                        const char* field) const {
  if (weights_.at(name).shape == expected) return;
  config_.at(field).fail(text_of("the shape of '", name, "' in ", weights_.name()));
}

void WeightCheck::stack(std::string_view prefix, const TransformerOptions& o) const {
  shape(text_of(prefix, ".layer_0.feed_forward.down.weight"), {o.width, o.hidden},
        "intermediate_size");
  if (o.attention.positions == "relative") {
    shape(text_of(prefix, ".layer_0.attention.relative_table"),
          {o.heads, 2 * o.attention.relative_reach + 1}, "relative_reach");
  }
  present(text_of(prefix, ".layer_", o.layers - 1, ".feed_forward.down.weight"));
}

}  // namespace heed::models
