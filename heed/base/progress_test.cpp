#include "heed/base/progress.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

TEST(Progress, DurationsReadAsPeopleSayThem) {
  EXPECT_EQ(duration_text(2.4), "2 s");
  EXPECT_EQ(duration_text(185), "3 min 05 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
}

TEST(Progress, BytesInDecimalUnits) {
  EXPECT_EQ(bytes_text(12'300), "12.3 kB");
  EXPECT_EQ(bytes_text(12.3e6), "12.3 MB");
  EXPECT_EQ(bytes_text(1.5e9), "1.50 GB");
}

TEST(Progress, NothingIsDrawnWhereStderrIsNoTerminal) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("training", 10);
    for (int i = 0; i <= 10; ++i) bar.update(i, "loss 0.5");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace heed
