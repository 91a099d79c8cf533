#include "heed/io/json_object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace heed {
namespace {

TEST(JsonObject, KeepsTheOrderOfItsMembers) {
  EXPECT_EQ(object_of({{"b", 1}, {"a", {1, 2}}}).dump(), "{\"b\":1,\"a\":[1,2]}");
  EXPECT_EQ(object_of({}).dump(), "{}");
}

}  // namespace
}  // namespace heed
