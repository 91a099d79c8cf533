#include "heed/models/parts/transformer_options.h"

#include "heed/base/error.h"

namespace heed::models {

void check(const TransformerOptions& o) {
  visit_fields(o, nn::FieldCheck());
  visit_fields(o.details, nn::FieldCheck());
  visit_fields(o.input, nn::FieldCheck());
  check_usage(o.details.attention.head_dim > 0 || o.d_model % o.num_heads == 0,
              "num_heads: expected a divisor of d_model ", o.d_model, ", got ", o.num_heads);
  nn::check(o.attention, {.num_heads = o.num_heads,
                          .size = o.details.attention.head_dim > 0 ? o.details.attention.head_dim
                                                                   : o.d_model / o.num_heads});
}

nn::LayerOptions layer_options(const TransformerOptions& options) {
  return {.d_model = options.d_model,
          .num_heads = options.num_heads,
          .d_ff = options.d_ff,
          .attention = options.attention,
          .feed_forward = nn::feed_forward_kind_from(options.activation),
          .norm = nn::norm_kind_from(options.norm),
          .norm_first = options.norm_first,
          .dropout = options.dropout,
          .attention_dropout = options.attention_dropout,
          .bias = options.bias,
          .before_attention = options.before_attention,
          .details = options.details};
}

}  // namespace heed::models
