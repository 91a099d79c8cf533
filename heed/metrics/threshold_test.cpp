#include "heed/metrics/threshold.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "heed/base/error.h"
#include "heed/metrics/classification.h"

namespace heed::metrics {
namespace {

using Numbers = std::vector<double>;
using Truths = std::vector<uint8_t>;

double f1_at(double threshold, const Numbers& probabilities, const Truths& actual) {
  int64_t correct = 0;
  int64_t predicted = 0;
  int64_t there = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const bool given = probabilities[i] >= threshold;
    correct += given && actual[i] != 0;
    predicted += given;
    there += actual[i] != 0;
  }
  return precision_recall(correct, predicted, there).f1;
}

TEST(Threshold, ByHand) {
  EXPECT_DOUBLE_EQ(best_threshold(Numbers{0.9, 0.2, 0.3, 0.1}, Truths{1, 0, 1, 0}), 0.25);
  EXPECT_DOUBLE_EQ(best_threshold(Numbers{0.9, 0.4, 0.1}, Truths{1, 0, 0}), 0.5);
  EXPECT_DOUBLE_EQ(best_threshold(Numbers{0.9, 0.8}, Truths{1, 0}), 0.8 + (0.9 - 0.8) / 2);
  EXPECT_DOUBLE_EQ(best_threshold(Numbers{0.9, 0.8}, Truths{0, 0}), 0.5);  // nothing to learn
  EXPECT_DOUBLE_EQ(best_threshold(Numbers{0.2, 0.2}, Truths{1, 0}), 0.1);  // ties stay together
  EXPECT_DOUBLE_EQ(best_threshold(Numbers{}, Truths{}), 0.5);
  EXPECT_THROW(best_threshold(Numbers{0.5}, Truths{}), UsageError);
}

// No other threshold is better, on random answers with many equal probabilities.
TEST(Threshold, IsTheBestOfAll) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    Numbers probabilities;
    Truths actual;
    for (int i = 0; i < 12; ++i) {
      probabilities.push_back(static_cast<double>(random() % 20) / 19);
      actual.push_back(random() % 3 == 0);
    }
    actual[0] = 1;
    const double found = f1_at(best_threshold(probabilities, actual), probabilities, actual);
    for (int step = 0; step <= 200; ++step) {
      EXPECT_GE(found + 1e-12, f1_at(step / 200.0, probabilities, actual)) << round;
    }
  }
}

}  // namespace
}  // namespace heed::metrics
