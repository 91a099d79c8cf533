#include "heed/data/memory.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::data {
namespace {

TEST(Memory, WhatDoesNotFitIsRefusedInGibibytes) {
  EXPECT_NO_THROW(check_fits(1 << 20, "a class", "fewer"));
  try {
    check_fits(uint64_t{1} << 50, "10 classes", "fewer classes");
    FAIL() << "expected it to be refused";
  } catch (const UsageError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("10 classes: takes about 1048576.0 GiB of memory, of which "))
        << message;
    EXPECT_TRUE(message.ends_with("GiB are free; fewer classes")) << message;
  }
}

}  // namespace
}  // namespace heed::data
