// What the descendants of BART share.
#pragma once

#include <string>

#include "heed/models/published/architecture.h"

namespace heed::models::published {

// Vocabulary, padding, sizes of both stacks, activation, dropout, and the scale of embeddings.
EncoderDecoderOptions bart_sizes(const Config& config);

// Names of the layers of a stack; `ours` and `theirs`: "encoder" or "decoder".
void add_bart_stack(const std::string& ours, const std::string& theirs, Rules& rules);

}  // namespace heed::models::published
