#include "heed/base/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

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

TEST(Progress, ALineNeverFillsTheTerminal) {
  const ProgressLine line{
      .title = "training",
      .share = 0.5,
      .behind = "  50%  3 min 05 s left",
      .note = "epoch 3  loss 0.1234  accuracy 0.8012  15000 tokens/s  812.3 MB"};
  for (int width = 1; width < 200; ++width) {
    const std::string text = line_text(line, width);
    const auto columns =
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LT(columns, width) << text;
  }
  EXPECT_EQ(line_text(line, 30), "training   50%  3 min 05 s l…");
  EXPECT_NE(line_text(line, 80).find("epoch 3  loss 0.1234"), std::string::npos);
  EXPECT_NE(line_text(line, 140).find("━━━━━"), std::string::npos);
  EXPECT_TRUE(line_text(line, 140).ends_with("812.3 MB"));
}

TEST(Progress, WhereThereIsNoTerminalColumnsSaysItsWidth) {
  const int nothing = -1;
  setenv("COLUMNS", "47", 1);
  EXPECT_EQ(terminal_width(nothing), 47);
  setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(terminal_width(nothing), 80);
  unsetenv("COLUMNS");
  EXPECT_EQ(terminal_width(nothing), 80);
}

}  // namespace
}  // namespace heed
