#include "heed/inference/logit_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace heed::inference {
namespace {

// The tokens that may come, of five.
std::vector<int64_t> allowed(const LogitRules& rules, const RowSoFar& row) {
  std::vector<float> logits(5, 1);
  apply(rules, row, logits);
  std::vector<int64_t> ids;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isinf(logits[i])) ids.push_back(static_cast<int64_t>(i));
  }
  return ids;
}

using Ids = std::vector<int64_t>;

TEST(LogitRules, ForbidTokensAlwaysOrAtTheBeginning) {
  const LogitRules rules{.suppress_tokens = {1, 77}, .begin_suppress_tokens = {2}};
  EXPECT_EQ(allowed(rules, {}), (Ids{0, 3, 4}));
  EXPECT_EQ(allowed(rules, {.step = 1}), (Ids{0, 2, 3, 4}));
}

TEST(LogitRules, ForbidSequencesThatWereThere) {
  const Ids ids = {3, 1, 2, 3, 1};
  EXPECT_EQ(allowed({.no_repeat_ngram_size = 3}, {.ids = ids, .step = 1}), (Ids{0, 1, 3, 4}));
  EXPECT_EQ(allowed({.no_repeat_ngram_size = 1}, {.ids = ids, .step = 1}), (Ids{0, 4}));
  EXPECT_EQ(allowed({.no_repeat_ngram_size = 6}, {.ids = ids, .step = 1}).size(), 5U);
}

// An end token may come no sooner than others stand before it, but for one that is forced.
TEST(LogitRules, ForbidEndTokensThatAreTooEarly) {
  const Ids ends = {2, 4};
  for (int64_t step = 0; step < 5; ++step) {
    const RowSoFar row{.step = step, .too_early = too_early(ends, step, 3)};
    EXPECT_EQ(allowed({}, row), step < 3 ? (Ids{0, 1, 3}) : (Ids{0, 1, 2, 3, 4})) << step;
  }
  const RowSoFar last{.step = 1, .last = true, .too_early = too_early(ends, 1, 3)};
  EXPECT_EQ(allowed({.forced_eos_token_id = 2}, last), (Ids{2}));
}

TEST(LogitRules, ForceTheFirstAndTheLastToken) {
  const LogitRules rules{.forced_bos_token_id = 4, .forced_eos_token_id = 2};
  EXPECT_EQ(allowed(rules, {}), (Ids{4}));
  EXPECT_EQ(allowed(rules, {.step = 1}).size(), 5U);
  EXPECT_EQ(allowed(rules, {.step = 7, .last = true}), (Ids{2}));
  std::vector<float> logits(5, 1);
  apply(rules, {}, logits, 0.5F);
  EXPECT_EQ(logits[4], 0.5F);
}

// A rule of the model sees the row and what the other rules left of its logits.
TEST(LogitRules, HandTheLogitsToARuleOfTheModel) {
  EXPECT_TRUE(LogitRules().empty());
  Ids seen;
  const LogitRules rules{.suppress_tokens = {1}, .more = [&](const RowSoFar& row, auto logits) {
                           seen.assign(row.ids.begin(), row.ids.end());
                           if (row.step == 2) logits[std::isinf(logits[1]) ? 0 : 4] = -INFINITY;
                         }};
  EXPECT_FALSE(rules.empty());
  const Ids ids = {3, 1, 2};
  EXPECT_EQ(allowed(rules, {.ids = ids, .step = 2}), (Ids{2, 3, 4}));
  EXPECT_EQ(seen, ids);
  EXPECT_EQ(allowed(rules, {.ids = ids, .step = 1}), (Ids{0, 2, 3, 4}));
}

// Also where the model's rule would leave nothing.
TEST(LogitRules, ForcedTokensComeLast) {
  const LogitRules rules{.forced_bos_token_id = 4,
                         .forced_eos_token_id = 2,
                         .more = [](const RowSoFar& /*row*/, std::span<float> logits) {
                           std::fill(logits.begin(), logits.end(), -INFINITY);
                         }};
  EXPECT_EQ(allowed(rules, {}), (Ids{4}));
  EXPECT_EQ(allowed(rules, {.step = 1}), Ids());
  EXPECT_EQ(allowed(rules, {.step = 1, .last = true}), (Ids{2}));
}

}  // namespace
}  // namespace heed::inference
