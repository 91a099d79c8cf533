#include "heed/tasks/common/task.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

TEST(MetricsOfTasks, OfMistakesTheSmallerIsTheBetter) {
  for (const char* name : {"loss", "perplexity", "bits_per_byte", "mse", "mae"}) {
    EXPECT_FALSE(higher_is_better(name)) << name;
  }
  for (const char* name : {"accuracy", "macro_f1", "bleu", "exact_match", "ndcg@10"}) {
    EXPECT_TRUE(higher_is_better(name)) << name;
  }
}

TEST(MetricsOfTasks, AreFoundByName) {
  EXPECT_EQ(metric({{"loss", 2}, {"f1", 0.5}}, "f1"), 0.5);
  EXPECT_THROW(metric({{"loss", 2}}, "f1"), UsageError);
}

}  // namespace
}  // namespace heed::tasks
