#include "heed/models/parts/transformer_input.h"

#include <cmath>

#include "heed/nn/parameters/init.h"

namespace heed::models {

TokenInputOptions input_options(const TransformerOptions& options) {
  return {.d_model = options.d_model,
          .max_length = options.max_length,
          .positions = options.attention.positions,
          .small_embedding = nn::init_from(options.init) == nn::Init::kSmallEmbedding,
          .details = options.input,
          .norm = nn::norm_options(layer_options(options))};
}

double input_scale(const TokenInputOptions& input) {
  if (input.details.scale > 0) return input.details.scale;
  return input.small_embedding ? 1 : std::sqrt(static_cast<double>(input.d_model));
}

}  // namespace heed::models
