#include "heed/data/limits.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::data {
namespace {

TEST(Limits, AreNamedInBytesOrTheirPowers) {
  EXPECT_EQ(bytes_named("17"), 17u);
  EXPECT_EQ(bytes_named("4K"), 4096u);
  EXPECT_EQ(bytes_named("3G"), uint64_t{3} << 30);
  for (const char* wrong : {"", "G", "-1", "1.5G", "4 G", "4GB", "99999999999T"}) {
    EXPECT_THROW(bytes_named(wrong), UsageError) << wrong;
  }
}

TEST(Limits, WithoutOneHalfOfWhatIsFree) {
  EXPECT_GT(free_memory(), uint64_t{1} << 20);
  EXPECT_GT(bytes_allowed({}), 0u);
  EXPECT_EQ(bytes_allowed({.most_bytes = 5}), 5u);
}

}  // namespace
}  // namespace heed::data
