#include "heed/tasks/common/task.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

TEST(MetricsOfTasks, ThoseThatMayBeWatchedSayWhichWayIsBetter) {
  const std::vector<Watched> watchable = {lowest("loss"), highest("made up")};
  EXPECT_FALSE(watched_among(watchable, "loss", "made up").higher_is_better);
  EXPECT_TRUE(watched_among(watchable, "made up", "loss").higher_is_better);
  EXPECT_EQ(watched_among(watchable, "", "made up").name, "made up");
  EXPECT_EQ(watched_among(watchable, "", "loss").name, "loss");
  EXPECT_THROW(watched_among(watchable, "mse", "loss"), UsageError);
  EXPECT_THROW(watched_among(watchable, "", "mse"), UsageError);
}

TEST(MetricsOfTasks, AreFoundByName) {
  EXPECT_EQ(metric({{"loss", 2}, {"f1", 0.5}}, "f1"), 0.5);
  EXPECT_THROW(metric({{"loss", 2}}, "f1"), UsageError);
}

}  // namespace
}  // namespace heed::tasks
