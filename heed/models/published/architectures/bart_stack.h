// What the descendants of BART share.
#pragma once

#include <string>

#include "heed/models/published/architecture.h"

namespace heed::models::published {

// Vocabulary, padding, sizes of both stacks, activation, dropout, and the scale of embeddings.
EncoderDecoderOptions bart_sizes(const Config& config);

// Into the plan, a head of the states of the decoder, or none, which reads the source too, behind
// decoder_start_token_id: a classifier of the text at its last `end_id`, eos_token_id where that is
// there, or of the first and the last token of an answer.        Lewis et al. 2020, section 3
void read_source_twice(const Config& config, Purpose purpose, int64_t end_id, Plan& plan);

// Names of the layers of a stack; `ours` and `theirs`: "encoder" or "decoder".
void add_bart_stack(const std::string& ours, const std::string& theirs, Rules& rules);

}  // namespace heed::models::published
