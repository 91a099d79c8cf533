#include "heed/inference/logit_rules.h"

#include <algorithm>
#include <limits>

namespace heed::inference {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void forbid(int64_t id, std::span<float> logits) {
  if (id >= 0 && id < std::ssize(logits)) logits[static_cast<size_t>(id)] = kNever;
}

// What followed the last size − 1 tokens where they stood before.
void forbid_repeats(std::span<const int64_t> ids, int64_t size, std::span<float> logits) {
  const auto before = static_cast<size_t>(size - 1);
  if (ids.size() < before) return;
  const auto latest = ids.last(before);
  for (size_t begin = 0; begin + before < ids.size(); ++begin) {
    if (std::equal(latest.begin(), latest.end(),
                   ids.begin() + static_cast<std::ptrdiff_t>(begin))) {
      forbid(ids[begin + before], logits);
    }
  }
}

}  // namespace

bool LogitRules::empty() const {
  return suppress_tokens.empty() && begin_suppress_tokens.empty() && no_repeat_ngram_size == 0 &&
         !forced_bos_token_id && !forced_eos_token_id && !more;
}

std::span<const int64_t> too_early(std::span<const int64_t> eos_token_ids, int64_t step,
                                   int64_t min_new_tokens) {
  return step < min_new_tokens ? eos_token_ids : std::span<const int64_t>();
}

void apply(const LogitRules& rules, const RowSoFar& row, std::span<float> logits, float forced) {
  if (rules.no_repeat_ngram_size > 0) {
    forbid_repeats(row.ids, rules.no_repeat_ngram_size, logits);
  }
  for (const int64_t id : row.too_early) forbid(id, logits);
  for (const int64_t id : rules.suppress_tokens) forbid(id, logits);
  if (row.step == 0) {
    for (const int64_t id : rules.begin_suppress_tokens) forbid(id, logits);
  }
  if (rules.more) rules.more(row, logits);
  const std::optional<int64_t> only = row.step == 0 && rules.forced_bos_token_id
                                          ? rules.forced_bos_token_id
                                      : row.last ? rules.forced_eos_token_id
                                                 : std::nullopt;
  if (!only || *only >= std::ssize(logits)) return;
  std::fill(logits.begin(), logits.end(), kNever);
  logits[static_cast<size_t>(*only)] = forced;
}

}  // namespace heed::inference
