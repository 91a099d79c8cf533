#include "heed/viz/drawing/ticks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace heed {
namespace {

using testing::ElementsAre;

TEST(Ticks, AreRoundNumbersInsideTheRange) {
  EXPECT_THAT(nice_ticks(0, 1, 5).labels, ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(nice_ticks(0.013, 0.052, 4).labels, ElementsAre("0.02", "0.03", "0.04", "0.05"));
  EXPECT_THAT(nice_ticks(-70, 160, 4).labels, ElementsAre("-50", "0", "50", "100", "150"));
}

TEST(Ticks, HaveNoMinusZero) {
  EXPECT_THAT(nice_ticks(-0.1, 0.1, 2).labels, ElementsAre("-0.1", "0.0", "0.1"));
}

TEST(Ticks, StayWholeWhereAsked) {
  EXPECT_THAT(nice_ticks(1, 3, 10, 1).labels, ElementsAre("1", "2", "3"));
}

TEST(Ticks, AlwaysSomeAndNeverMany) {
  for (const double scale : {1e-12, 3e-5, 0.07, 1.0, 9.9, 12345.0, 6e11}) {
    for (const double start : {0.0, 0.3, -1.7}) {
      for (int wanted = 1; wanted < 12; ++wanted) {
        const Ticks ticks = nice_ticks(start * scale, (start + 1) * scale, wanted);
        EXPECT_GE(ticks.values.size(), 1U) << scale << " " << start << " " << wanted;
        EXPECT_LE(ticks.values.size(), static_cast<size_t>(2 * wanted + 3));
        EXPECT_EQ(ticks.values.size(), ticks.labels.size());
      }
    }
  }
}

TEST(Ticks, NothingForARangeThatIsNone) {
  EXPECT_TRUE(nice_ticks(1, 1, 5).values.empty());
  EXPECT_TRUE(nice_ticks(2, 1, 5).values.empty());
  EXPECT_TRUE(nice_ticks(NAN, 1, 5).values.empty());
  EXPECT_TRUE(nice_ticks(0, INFINITY, 5).values.empty());
}

}  // namespace
}  // namespace heed
