#include "heed/metrics/separation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace heed::metrics {
namespace {

using Scores = std::vector<float>;

TEST(Separation, IsThatOfScikitLearn) {
  // roc_auc_score and average_precision_score of scikit-learn 1.9.
  const Scores is = {0.9F, 0.6F, 0.4F, 0.4F}, is_not = {0.8F, 0.4F, 0.1F};
  EXPECT_NEAR(roc_auc(is, is_not), 2.0 / 3, 1e-12);
  EXPECT_NEAR(average_precision(is, is_not), 0.75, 1e-12);
}

TEST(Separation, GoesFromNoneToAll) {
  EXPECT_EQ(roc_auc(Scores{3, 4}, Scores{1, 2}), 1);
  EXPECT_EQ(average_precision(Scores{3, 4}, Scores{1, 2}), 1);
  EXPECT_EQ(roc_auc(Scores{1, 2}, Scores{3, 4}), 0);
  EXPECT_EQ(roc_auc(Scores{1, 1}, Scores{1}), 0.5);
  EXPECT_NEAR(average_precision(Scores{1, 1}, Scores{1}), 2.0 / 3, 1e-12);
  EXPECT_TRUE(std::isnan(roc_auc(Scores{}, Scores{1})));
  EXPECT_TRUE(std::isnan(average_precision(Scores{}, Scores{1})));
}

}  // namespace
}  // namespace heed::metrics
