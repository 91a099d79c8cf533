// Choosing the next token from its logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heed::inference {

// In the order in which they are applied.
struct SamplingOptions {
  // Tokens that are there already: a positive logit is divided by this, a negative one multiplied.
  // 1: off.                                                      Keskar et al. 2019, section 4.1
  double repetition_penalty = 1;
  double temperature = 1;  // divides the logits; 0: always the most likely token (greedy)
  int64_t top_k = 0;       // only the k most likely tokens; 0: all            Fan et al. 2018
  // Only the most likely tokens that have this probability together.  Holtzman et al. 2020; 1: all
  double top_p = 1;
  // Only tokens that are at least this share as likely as the most likely one; 0: all.
  //                                                                     Nguyen et al. 2024
  double min_p = 0;
  uint64_t seed = 1;
};

// Throws UsageError naming the option that cannot be used.
void check(const SamplingOptions& options);

// Which random number is drawn: the choice depends on the seed and on this alone, not on what was
// drawn before or on how many samples are made together.
struct Draw {
  int64_t sample = 0;
  int64_t step = 0;
};

class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);

  // The token chosen from logits (V); of equal ones the first. `seen`: the tokens so far. Throws
  // Error where no logit is a finite number.
  int64_t choose(std::span<const float> logits, std::span<const int64_t> seen, Draw draw);

 private:
  struct Candidate {
    double logit;
    int64_t id;
  };
  void penalise(std::span<const int64_t> seen);
  int64_t greedy() const;
  void keep_largest(size_t count);
  void keep_nucleus();
  void keep_likely();
  int64_t draw_from(double uniform) const;

  SamplingOptions options_;
  std::vector<Candidate> candidates_;  // memory that is used again
  std::vector<bool> penalised_;
};

}  // namespace heed::inference
