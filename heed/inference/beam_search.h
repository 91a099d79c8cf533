// Beam search: of all continuations, the ones with the largest probability that a narrow search
// finds.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "heed/inference/logit_rules.h"
#include "heed/inference/step_decoder.h"

namespace heed::inference {

// The rules of the package transformers for when a search is over, its early_stopping: once there
// are as many hypotheses as beams (true); once the best beam, by its length now, is no better than
// the worst of them (false); the same by the length that it may still get, where that helps it
// ("never").
enum class EarlyStopping : uint8_t { kFull, kHopeless, kNever };

// Where nobody says otherwise.
inline constexpr int64_t kNumBeams = 5;
inline constexpr double kLengthPenalty = 1;

struct BeamSearchOptions {
  int64_t num_beams = kNumBeams;
  // A hypothesis of n tokens (the end token not counted) is ranked by its log-probability divided
  // by n to this power: 0 prefers short ones, 1 ranks by the mean. Wu et al. 2016, section 7, with
  // the simpler penalty that most toolkits use.
  double length_penalty = kLengthPenalty;
  // Its rules in place of Heed's: then the end token counts into n, too, and only the best
  // `num_beams` hypotheses are kept.
  std::optional<EarlyStopping> early_stopping = {};
  int64_t max_new_tokens = kMaxNewTokens;  // of a hypothesis
  int64_t min_new_tokens = 0;              // before an end token may follow
  // Multiplies the log-probabilities of tokens that are there already, in the start too; of a
  // single beam it does to their logits what SamplingOptions says. 1: off.
  double repetition_penalty = 1;
  int64_t num_return_sequences = 1;  // of each sequence that are returned, at most `num_beams`
  std::vector<int64_t> eos_token_ids;
  LogitRules rules = {};            // n-grams are looked for in the start and what follows it
  std::function<bool()> cancelled;  // asked before each step; true: throws Interrupted
};

struct Hypothesis {
  std::vector<int64_t> ids;    // without the end token
  double log_probability = 0;  // of all its tokens, the end token included
  double score = 0;            // what it is ranked by
};

// Continues each row of `start` (B, n) int64: for each, the best hypotheses, the best first. Looks
// at 2 · num_beams continuations a step, of several end tokens at num_beams for each and once more;
// a sequence is finished once it has `num_beams` hypotheses
// (with no length penalty, once the best beam ended), and its rows leave the batch then. The
// decoder holds B rows, or none and the first step makes them. Throws UsageError for options that
// cannot be used.
std::vector<std::vector<Hypothesis>> beam_search(StepDecoder& decoder, const at::Tensor& start,
                                                 const BeamSearchOptions& options);

}  // namespace heed::inference
