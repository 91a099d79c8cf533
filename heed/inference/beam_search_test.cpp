#include "heed/inference/beam_search.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "heed/base/error.h"
#include "heed/inference/generate.h"
#include "heed/inference/testing/test_decoder.h"

namespace heed::inference {
namespace {

constexpr int64_t kVocabulary = 6;
constexpr int64_t kEnd = 5;

// The log-probabilities (V) of what follows `ids`, made of its logits.
using Rates = at::Tensor (*)(const at::Tensor& logits, const std::vector<int64_t>& ids);

at::Tensor usual_rates(const at::Tensor& logits, const std::vector<int64_t>& /*ids*/) {
  return logits.log_softmax(0);
}

// Every sequence of at most `most` tokens behind `ids`, with its log-probability.
void walk(const TableDecoder& decoder, Rates rates_of, const std::vector<int64_t>& ids,
          size_t prompt, size_t most, double log_probability, std::vector<Hypothesis>& all) {
  const at::Tensor rates = rates_of(decoder.logits_after(ids).to(at::kDouble), ids);
  for (int64_t id = 0; id < kVocabulary; ++id) {
    const double sum = log_probability + rates[id].item<double>();
    const std::vector<int64_t> made(ids.begin() + static_cast<int64_t>(prompt), ids.end());
    if (id == kEnd) {
      all.push_back({.ids = made, .log_probability = sum});
      continue;
    }
    std::vector<int64_t> longer = ids;
    longer.push_back(id);
    if (longer.size() - prompt == most) {
      all.push_back({.ids = {longer.begin() + static_cast<int64_t>(prompt), longer.end()},
                     .log_probability = sum});
    } else {
      walk(decoder, rates_of, longer, prompt, most, sum, all);
    }
  }
}

// The one with the best mean of those of at most 4 tokens behind {1, 2}, and what a search finds
// that is wide enough to miss nothing.
void expect_best_of_all(Rates rates_of, BeamSearchOptions options) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    TableDecoder decoder(kVocabulary, seed);
    std::vector<Hypothesis> all;
    walk(decoder, rates_of, {1, 2}, 2, 4, 0, all);
    const auto best = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
      const auto score = [](const Hypothesis& h) {
        return h.log_probability / static_cast<double>(std::max<size_t>(1, h.ids.size()));
      };
      return score(a) < score(b);
    });
    options.num_beams = 2'000;
    options.max_new_tokens = 4;
    options.eos_token_ids = {kEnd};
    const auto found = beam_search(decoder, at::tensor({1, 2}, at::kLong).view({1, 2}), options);
    EXPECT_EQ(found[0][0].ids, best->ids) << "seed " << seed;
    EXPECT_NEAR(found[0][0].log_probability, best->log_probability, 1e-5);
  }
}

// With as many beams as there are sequences the search misses nothing.
TEST(BeamSearch, AWideSearchFindsTheBestOfAll) { expect_best_of_all(usual_rates, {}); }

TEST(BeamSearch, AnEndMayNotComeTooEarly) {
  const Rates no_early_end = [](const at::Tensor& logits, const std::vector<int64_t>& ids) {
    at::Tensor rates = logits.log_softmax(0);
    if (ids.size() < 2 + 2) rates[kEnd] = -INFINITY;
    return rates;
  };
  expect_best_of_all(no_early_end, {.min_new_tokens = 2});
}

TEST(BeamSearch, WhatRulesLeaveMayBeADistributionAgain) {
  const Rates without_3 = [](const at::Tensor& logits, const std::vector<int64_t>& /*ids*/) {
    at::Tensor left = logits.clone();
    left[3] = -INFINITY;
    return left.log_softmax(0);
  };
  expect_best_of_all(without_3, {.rules = {.suppress_tokens = {3}, .renormalize_logits = true}});
}

TEST(BeamSearch, RepeatedTokensBecomeUnlikelier) {
  const Rates penalised = [](const at::Tensor& logits, const std::vector<int64_t>& ids) {
    at::Tensor rates = logits.log_softmax(0);
    for (const int64_t id : std::set<int64_t>(ids.begin(), ids.end())) rates[id] *= 1.5;
    return rates;
  };
  expect_best_of_all(penalised, {.repetition_penalty = 1.5});
  // Of a single beam as when tokens are sampled: by the logits.
  TableDecoder decoder(kVocabulary, 3);
  GenerateOptions greedy{.max_new_tokens = 9};
  greedy.sampling.temperature = 0;
  greedy.sampling.repetition_penalty = 1.5;
  const auto expected = generate(decoder, {1, 2}, greedy)[0].ids;
  decoder.reset();
  const auto found = beam_search(decoder, at::tensor({1, 2}, at::kLong).view({1, 2}),
                                 {.num_beams = 1, .max_new_tokens = 9, .repetition_penalty = 1.5});
  EXPECT_EQ(found[0][0].ids, expected);
}

TEST(BeamSearch, OneBeamIsGreedy) {
  TableDecoder decoder(kVocabulary, 3);
  const auto found = beam_search(decoder, at::tensor({1}, at::kLong).view({1, 1}),
                                 {.num_beams = 1, .max_new_tokens = 12});
  std::vector<int64_t> ids = {1};
  for (int i = 0; i < 12; ++i) ids.push_back(decoder.logits_after(ids).argmax().item<int64_t>());
  EXPECT_EQ(found[0][0].ids, std::vector<int64_t>(ids.begin() + 1, ids.end()));
}

TEST(BeamSearch, ASequenceDoesNotDependOnItsBatch) {
  TableDecoder decoder(kVocabulary, 4);
  const BeamSearchOptions options{
      .num_beams = 3, .max_new_tokens = 10, .num_return_sequences = 3, .eos_token_ids = {kEnd}};
  const at::Tensor starts = at::tensor({0, 1, 2, 3, 4}, at::kLong).view({5, 1});
  const auto together = beam_search(decoder, starts, options);
  for (int64_t i = 0; i < 5; ++i) {
    decoder.reset();
    const auto alone = beam_search(decoder, starts.narrow(0, i, 1), options);
    ASSERT_EQ(together[static_cast<size_t>(i)].size(), alone[0].size());
    for (size_t k = 0; k < alone[0].size(); ++k) {
      EXPECT_EQ(together[static_cast<size_t>(i)][k].ids, alone[0][k].ids);
      EXPECT_EQ(together[static_cast<size_t>(i)][k].score, alone[0][k].score);
    }
  }
}

TEST(BeamSearch, FinishedSequencesLeaveTheBatch) {
  TableDecoder decoder(kVocabulary, 4);
  const at::Tensor starts = at::tensor({0, 1, 2, 3, 4}, at::kLong).view({5, 1});
  beam_search(decoder, starts, {.num_beams = 3, .max_new_tokens = 40, .eos_token_ids = {kEnd}});
  EXPECT_EQ(decoder.steps.front(), 5);
  EXPECT_EQ(decoder.steps[1], 15);
  EXPECT_LT(decoder.steps.back(), 15);
}

// A decoder copies what it remembers of a row that moves.
TEST(BeamSearch, ARowThatGoesOnStaysWhereItIs) {
  TableDecoder decoder(kVocabulary, 4);
  const at::Tensor starts = at::tensor({0, 1, 2, 3, 4}, at::kLong).view({5, 1});
  beam_search(decoder, starts, {.num_beams = 3, .max_new_tokens = 40, .eos_token_ids = {kEnd}});
  int64_t stay = 0;
  for (size_t step = 1; step < decoder.selections.size(); ++step) {
    const at::Tensor& rows = decoder.selections[step];
    if (rows.size(0) != decoder.selections[step - 1].size(0)) continue;
    for (int64_t row = 0; row < rows.size(0); ++row) {
      if (!(rows == row).any().item<bool>()) continue;
      EXPECT_EQ(rows[row].item<int64_t>(), row) << "step " << step;
      ++stay;
    }
  }
  EXPECT_GE(stay, 10);
}

TEST(BeamSearch, HypothesesAreRankedByTheirPenalty) {
  TableDecoder decoder(kVocabulary, 5);
  const at::Tensor start = at::tensor({1}, at::kLong).view({1, 1});
  for (const double penalty : {0.0, 0.6, 1.0, 2.0}) {
    decoder.reset();
    const auto found = beam_search(decoder, start,
                                   {.num_beams = 4,
                                    .length_penalty = penalty,
                                    .max_new_tokens = 15,
                                    .num_return_sequences = 4,
                                    .eos_token_ids = {kEnd}});
    for (size_t k = 0; k < found[0].size(); ++k) {
      const Hypothesis& h = found[0][k];
      const auto length = static_cast<double>(std::max<size_t>(1, h.ids.size()));
      EXPECT_DOUBLE_EQ(h.score, h.log_probability / std::pow(length, penalty));
      if (k > 0) {
        EXPECT_LE(h.score, found[0][k - 1].score);
      }
    }
  }
}

TEST(BeamSearch, StopsWhenAsked) {
  TableDecoder decoder(kVocabulary, 5);
  EXPECT_THROW(beam_search(decoder, at::zeros({1, 1}, at::kLong),
                           {.max_new_tokens = 5, .cancelled = [] { return true; }}),
               Interrupted);
}

TEST(BeamSearch, RefusesOptionsByName) {
  TableDecoder decoder(kVocabulary, 5);
  const at::Tensor start = at::zeros({1, 1}, at::kLong);
  EXPECT_THROW(beam_search(decoder, start, {.num_beams = 0}), UsageError);
  EXPECT_THROW(beam_search(decoder, start, {.max_new_tokens = 0}), UsageError);
  EXPECT_THROW(beam_search(decoder, start, {.num_beams = 2, .num_return_sequences = 3}),
               UsageError);
}

}  // namespace
}  // namespace heed::inference
