#include "heed/models/parts/transformer_input.h"

#include <cmath>

#include "heed/nn/initialise.h"

namespace heed::models {

TokenInputOptions input_options(const TransformerOptions& options) {
  return {.d_model = options.d_model,
          .max_length = options.max_length,
          .positions = options.attention.positions,
          .small_embedding = nn::initialisation_from(options.initialisation) ==
                             nn::Initialisation::kSmallEmbedding};
}

double input_scale(const TokenInputOptions& input) {
  return input.small_embedding ? 1 : std::sqrt(static_cast<double>(input.d_model));
}

}  // namespace heed::models
