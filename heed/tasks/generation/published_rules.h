// The rules by which a published model writes, as decoding has them.
#pragma once

#include "heed/inference/beam_search.h"
#include "heed/models/published/generation_config.h"

namespace heed::tasks {

// Behind a prompt of this length. As in transformers, the first new token is forced behind a single
// one, which is mostly the start token.
inline inference::LogitRules logit_rules(const models::published::GenerationConfig& config,
                                         int64_t prompt_length) {
  return {.suppress_tokens = config.suppress_tokens,
          .begin_suppress_tokens = config.begin_suppress_tokens,
          .no_repeat_ngram_size = config.no_repeat_ngram_size,
          .forced_bos_token_id = prompt_length == 1 ? config.forced_bos_token_id : std::nullopt,
          .forced_eos_token_id = config.forced_eos_token_id,
          .renormalize_logits = config.renormalize_logits};
}

// Greedy search ends with its first end token.
inline inference::EarlyStopping early_stopping(const models::published::GenerationConfig& config,
                                               int64_t num_beams) {
  using Theirs = models::published::GenerationConfig::EarlyStopping;
  if (num_beams == 1 || config.early_stopping == Theirs::kTrue) {
    return inference::EarlyStopping::kFull;
  }
  return config.early_stopping == Theirs::kNever ? inference::EarlyStopping::kNever
                                                 : inference::EarlyStopping::kHopeless;
}

}  // namespace heed::tasks
