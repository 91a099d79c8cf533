// What a model must not write, or must: settings of a model beside its weights, as
// generation_config.json of published models has them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace heed::inference {

// Where a row stands.
struct RowSoFar {
  std::span<const int64_t> ids;  // the start, where n-grams are looked for in it, and what follows
  int64_t step = 0;              // new tokens that are there, the last of them
  bool last = false;             // room for one more only
  std::span<const int64_t> too_early = {};  // end tokens, where more tokens must stand before them
};

struct LogitRules {
  std::vector<int64_t> suppress_tokens = {};        // never
  std::vector<int64_t> begin_suppress_tokens = {};  // not as the first new token
  // No sequence of so many tokens twice; 0: it may.                         Paulus et al. 2018
  int64_t no_repeat_ngram_size = 0;
  std::optional<int64_t> forced_bos_token_id = {};  // the first new token
  std::optional<int64_t> forced_eos_token_id = {};  // the last that there is room for
  // What forbidden tokens leave is a distribution again, for what beam search ranks by.
  bool renormalize_logits = false;
  // A rule of one kind of model: may make logits −∞, of a row whose others are applied but for the
  // forced tokens. Called on several threads at once.
  std::function<void(const RowSoFar& row, std::span<float> logits)> more = {};

  bool empty() const;
};

// The end tokens, where a row has fewer new tokens than it must have.
std::span<const int64_t> too_early(std::span<const int64_t> eos_token_ids, int64_t step,
                                   int64_t min_new_tokens);

// Logits of forbidden tokens become −∞; beside a forced one, all others do, and it becomes
// `forced`.
void apply(const LogitRules& rules, const RowSoFar& row, std::span<float> logits, float forced = 0);

}  // namespace heed::inference
