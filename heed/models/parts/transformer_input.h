// The input layer that the options of a transformer ask for.
#pragma once

#include "heed/models/parts/token_input.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::models {

// d_model, max_length, positions, and whether the embedding starts small. Vocabulary, padding,
// embedding_std, scale and dropout are for the model to say.
TokenInputOptions input_options(const TransformerOptions& options);

// √C as in Vaswani et al. 2017, section 3.4: word and position then have the same size. 1 where the
// embedding starts small.
double input_scale(const TokenInputOptions& input);

}  // namespace heed::models
