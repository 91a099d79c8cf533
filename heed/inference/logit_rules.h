// What a model must not write, or must: settings of a model beside its weights, as
// generation_config.json of published models has them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace heed::inference {

struct LogitRules {
  std::vector<int64_t> suppress_tokens = {};        // never
  std::vector<int64_t> begin_suppress_tokens = {};  // not as the first new token
  // No sequence of so many tokens twice; 0: it may.                         Paulus et al. 2018
  int64_t no_repeat_ngram_size = 0;
  std::optional<int64_t> forced_bos_token_id = {};  // the first new token
  std::optional<int64_t> forced_eos_token_id = {};  // the last that there is room for

  bool empty() const;
};

// Where a row stands.
struct RowSoFar {
  std::span<const int64_t> ids;  // that n-grams are looked for in
  int64_t step = 0;              // new tokens that are there
  bool last = false;             // room for one more only
};

// Logits of forbidden tokens become −∞; beside a forced one, all others do, and it becomes
// `forced`.
void apply(const LogitRules& rules, const RowSoFar& row, std::span<float> logits, float forced = 0);

}  // namespace heed::inference
