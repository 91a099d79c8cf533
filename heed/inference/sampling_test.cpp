#include "heed/inference/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

constexpr int kDraws = 20'000;

std::map<int64_t, double> shares(const SamplingOptions& options, const std::vector<float>& logits,
                                 const std::vector<int64_t>& seen = {}) {
  Sampler sampler(options);
  std::map<int64_t, double> counts;
  for (int i = 0; i < kDraws; ++i) {
    counts[sampler.choose(logits, seen, {.sample = i % 7, .step = i})] += 1.0 / kDraws;
  }
  return counts;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature = 1) {
  double sum = 0;
  std::vector<double> out;
  for (const float x : logits) sum += out.emplace_back(std::exp(x / temperature));
  for (double& x : out) x /= sum;
  return out;
}

void expect_shares(const std::map<int64_t, double>& got, const std::vector<double>& expected) {
  for (size_t id = 0; id < expected.size(); ++id) {
    const double share =
        got.contains(static_cast<int64_t>(id)) ? got.at(static_cast<int64_t>(id)) : 0;
    // Five standard deviations of a binomial share.
    const double bound = 5 * std::sqrt(expected[id] * (1 - expected[id]) / kDraws) + 1e-9;
    EXPECT_NEAR(share, expected[id], bound) << "token " << id;
  }
}

const std::vector<float> kLogits = {0.5F, 2.0F, -1.0F, 1.0F, 0.0F};

TEST(Sampler, DrawsByProbability) { expect_shares(shares({}, kLogits), softmax(kLogits)); }

TEST(Sampler, TemperatureDividesTheLogits) {
  expect_shares(shares({.temperature = 0.5}, kLogits), softmax(kLogits, 0.5));
}

TEST(Sampler, TemperatureZeroTakesTheMostLikely) {
  Sampler sampler({.temperature = 0});
  EXPECT_EQ(sampler.choose(kLogits, {}, {}), 1);
  EXPECT_EQ(sampler.choose(std::vector<float>{1, 3, 3}, {}, {}), 1) << "of equal ones the first";
}

TEST(Sampler, TopKKeepsTheMostLikely) {
  const std::vector<double> all = softmax(kLogits);
  const double sum = all[1] + all[3];
  expect_shares(shares({.top_k = 2}, kLogits), {0, all[1] / sum, 0, all[3] / sum, 0});
}

TEST(Sampler, TopPKeepsTheFewestThatSuffice) {
  const std::vector<double> all = softmax(kLogits);
  // Tokens 1 and 3 hold 0.73 together; 1 alone does not hold 0.6.
  ASSERT_LT(all[1], 0.6);
  ASSERT_GT(all[1] + all[3], 0.6);
  const double sum = all[1] + all[3];
  expect_shares(shares({.top_p = 0.6}, kLogits), {0, all[1] / sum, 0, all[3] / sum, 0});
  expect_shares(shares({.top_p = 0.1}, kLogits), {0, 1, 0, 0, 0});
}

TEST(Sampler, MinPKeepsWhatIsNearTheMostLikely) {
  const std::vector<double> all = softmax(kLogits);
  // Of token 1, token 3 has e⁻¹ = 0.37, token 0 e⁻¹·⁵ = 0.22.
  const double sum = all[1] + all[3];
  expect_shares(shares({.min_p = 0.3}, kLogits), {0, all[1] / sum, 0, all[3] / sum, 0});
  expect_shares(shares({.min_p = 1}, kLogits), {0, 1, 0, 0, 0});
}

// A nucleus of more tokens than the first guess takes.
TEST(Sampler, TopPOverManyTokens) {
  const std::vector<float> flat(5'000, 0.0F);
  Sampler sampler({.top_p = 0.5});
  std::set<int64_t> seen;
  for (int i = 0; i < 2'000; ++i) seen.insert(sampler.choose(flat, {}, {.step = i}));
  EXPECT_LT(*seen.rbegin(), 2'500);
  EXPECT_GT(*seen.rbegin(), 2'450);
}

TEST(Sampler, RepetitionPenaltyCountsATokenOnce) {
  std::vector<float> penalised = kLogits;
  penalised[1] /= 2;  // positive: divided
  penalised[2] *= 2;  // negative: multiplied
  expect_shares(shares({.repetition_penalty = 2}, kLogits, {1, 2, 1, 1}), softmax(penalised));
}

TEST(Sampler, ADrawDependsOnItsPlaceAlone) {
  Sampler one({.seed = 7});
  Sampler other({.seed = 7});
  for (int step = 0; step < 50; ++step) {
    other.choose(kLogits, {}, {.sample = 9, .step = step});
    EXPECT_EQ(one.choose(kLogits, {}, {.sample = 3, .step = step}),
              other.choose(kLogits, {}, {.sample = 3, .step = step}));
  }
}

TEST(Sampler, SeedsDiffer) {
  Sampler one({.seed = 1});
  Sampler other({.seed = 2});
  int same = 0;
  for (int step = 0; step < 200; ++step) {
    same += one.choose(kLogits, {}, {.step = step}) == other.choose(kLogits, {}, {.step = step});
  }
  EXPECT_LT(same, 150);
}

TEST(Sampler, RefusesWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  Sampler sampler({});
  EXPECT_THROW(sampler.choose(std::vector<float>{1, nan}, {}, {}), Error);
  EXPECT_THROW(sampler.choose(std::vector<float>{-infinity, -infinity}, {}, {}), Error);
  EXPECT_EQ(sampler.choose(std::vector<float>{-infinity, 1}, {}, {}), 1);
}

TEST(Sampler, RefusesOptionsByName) {
  EXPECT_THROW(Sampler({.repetition_penalty = 0}), UsageError);
  EXPECT_THROW(Sampler({.temperature = -1}), UsageError);
  EXPECT_THROW(Sampler({.top_k = -1}), UsageError);
  EXPECT_THROW(Sampler({.top_p = 0}), UsageError);
  EXPECT_THROW(Sampler({.top_p = 1.5}), UsageError);
  EXPECT_THROW(Sampler({.min_p = -0.1}), UsageError);
}

}  // namespace
}  // namespace heed::inference
