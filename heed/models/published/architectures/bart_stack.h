// What the descendants of BART share.
#pragma once

#include <cstdint>
#include <string>

#include "heed/models/published/architecture.h"

namespace heed::models::published {

// Vocabulary, padding, sizes of both stacks, activation, dropout, and the scale of embeddings.
EncoderDecoderOptions bart_sizes(const Config& config);

// Ids where config.json says none.
struct UsualTokens {
  int64_t decoder_start = 0;
  int64_t eos = 0;
};

// Into the plan, a head of the states of the decoder, or none, which reads the source too, behind
// decoder_start_token_id: a classifier of the text at its last eos_token_id, or of the first and
// the last token of an answer.                                   Lewis et al. 2020, section 3
void read_source_twice(const Config& config, Purpose purpose, const UsualTokens& usual, Plan& plan);

// Names of the layers of a stack; `ours` and `theirs`: "encoder" or "decoder".
void add_bart_stack(const std::string& ours, const std::string& theirs, Rules& rules);

}  // namespace heed::models::published
