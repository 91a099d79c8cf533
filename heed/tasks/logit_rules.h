// The rules by which a published model writes, as decoding has them.
#pragma once

#include "heed/inference/logit_rules.h"
#include "heed/models/published/generation_config.h"

namespace heed::tasks {

inline inference::LogitRules logit_rules(const models::published::GenerationConfig& config) {
  return {.suppress_tokens = config.suppress_tokens,
          .begin_suppress_tokens = config.begin_suppress_tokens,
          .no_repeat_ngram_size = config.no_repeat_ngram_size,
          .forced_bos_token_id = config.forced_bos_token_id,
          .forced_eos_token_id = config.forced_eos_token_id};
}

}  // namespace heed::tasks
