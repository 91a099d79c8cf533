// From what a model says of each step of a sound to the text, where a step gives one token or
// nothing, and a token may last for several steps.     Graves et al. 2006, Connectionist Temporal
//                                                      Classification
#pragma once

#include <cstdint>
#include <vector>

namespace heed::inference {

inline constexpr int32_t kCtcBlank = 0;  // the token that stands for nothing

// Natural logarithms of the probabilities of all tokens at each step: (steps, tokens), row-major.
struct CtcLogits {
  const float* values = nullptr;
  int64_t steps = 0;
  int64_t tokens = 0;

  const float* at(int64_t step) const { return values + step * tokens; }
};

// The likeliest token of each step; those that go on and nothings are left out.
std::vector<int32_t> ctc_greedy(const CtcLogits& log_probabilities);

struct CtcText {
  std::vector<int32_t> ids;
  double log_probability = 0;  // of all ways to say it that the search kept
};

// The likeliest texts, the best first: all ways to say one are added up, and after each step the
// `num_beams` likeliest beginnings are kept.                     Hannun et al. 2014, algorithm 1
// Tokens whose probability at a step is below e^−`least` of the largest are not looked at. Throws
// UsageError for a number of beams below 1.
struct CtcBeamOptions {
  int64_t num_beams = 16;
  double least = 12;
};
std::vector<CtcText> ctc_beam_search(const CtcLogits& log_probabilities,
                                     const CtcBeamOptions& options = {});

// Where each token of a text stands on the likeliest path that says it: steps [begin, end).
// Empty where there are too few steps to say it.
struct CtcSpan {
  int64_t begin = 0;
  int64_t end = 0;
};
std::vector<CtcSpan> ctc_align(const CtcLogits& log_probabilities, const std::vector<int32_t>& ids);

// Steps that a text needs: its tokens, and a nothing between two that are equal.
int64_t ctc_steps(const std::vector<int32_t>& ids);

}  // namespace heed::inference
