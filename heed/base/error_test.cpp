#include "heed/base/error.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

TEST(Error, DataErrorNamesThePlaceFirst) {
  EXPECT_STREQ(DataError("a.tsv:3", "expected 2 columns, found 5").what(),
               "a.tsv:3: expected 2 columns, found 5");
}

TEST(Error, CheckUsageThrowsOnlyWhereItDoesNotHold) {
  EXPECT_NO_THROW(check_usage(true, "fine"));
  try {
    check_usage(false, "expected ", 3, " dimensions, got ", 2);
    FAIL() << "no error was thrown";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "expected 3 dimensions, got 2");
  }
}

}  // namespace
}  // namespace heed
