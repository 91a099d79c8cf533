// Continuing a sequence token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "heed/inference/logit_rules.h"
#include "heed/inference/sampling.h"
#include "heed/inference/step_decoder.h"

namespace heed::inference {

struct GenerateOptions {
  SamplingOptions sampling;
  LogitRules rules = {};                   // n-grams are looked for in the prompt too
  int64_t max_new_tokens = kMaxNewTokens;  // at most
  int64_t min_new_tokens = 0;              // before an end token may follow
  int64_t num_return_sequences = 1;        // continuations of the same prompt, made together
  std::vector<int64_t> eos_token_ids;      // end a sequence, and are not part of the result
  std::function<bool()> cancelled;  // asked before each step; true: leave, with what is there
};

enum class FinishReason : uint8_t { kEndToken, kStopped, kLength, kCancelled };

struct Generated {
  std::vector<int64_t> ids;  // without the prompt
  FinishReason finish = FinishReason::kLength;
};

// Called with each new token of each sample, in order; false ends that sample, token included.
using OnToken = std::function<bool(int64_t sample, int64_t id)>;

// Continues `prompt` (at least one token). Where a row reaches the decoder's capacity, the context
// slides: the decoder starts again from the latest half of it. The decoder is reset first.
std::vector<Generated> generate(StepDecoder& decoder, const std::vector<int64_t>& prompt,
                                const GenerateOptions& options, const OnToken& on_token = {});

}  // namespace heed::inference
