#include "heed/models/parts/transformer_options.h"

#include "heed/base/error.h"
#include "heed/nn/initialise.h"

namespace heed::models {

void check(const TransformerOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(o.width % o.heads == 0, "heads: expected a divisor of the width ", o.width, ", got ",
              o.heads);
  nn::check(o.attention, {.heads = o.heads, .size = o.width / o.heads});
  nn::feed_forward_kind_from(o.activation);
  nn::norm_kind_from(o.norm);
  nn::norm_place_from(o.norm_place);
  nn::initialisation_from(o.initialisation);
}

void check_share(const char* name, double value) {
  check_usage(value >= 0 && value < 1, name, ": expected a share from 0 up to but not including ",
              "1, got ", value);
}

nn::LayerOptions layer_options(const TransformerOptions& options) {
  return {.width = options.width,
          .heads = options.heads,
          .hidden = options.hidden,
          .attention = options.attention,
          .feed_forward = nn::feed_forward_kind_from(options.activation),
          .norm = nn::norm_kind_from(options.norm),
          .norm_place = nn::norm_place_from(options.norm_place),
          .dropout = options.dropout,
          .attention_dropout = options.attention_dropout,
          .bias = options.bias};
}

}  // namespace heed::models
