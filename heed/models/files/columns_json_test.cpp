#include "heed/models/files/columns_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::models {
namespace {

JsonValue config_of(const std::string& text) {
  return parse_json(text, "config.json", {.max_bytes = 1 << 20});
}

TEST(ColumnsJson, AreReadAsTheyAreWritten) {
  const DataColumns columns = {{"user", "who"}, {"item", "3"}, {"time", ""}};
  const OrderedJson json = columns_json(columns);
  const DataColumns read = columns_from(config_of(json.dump()));
  EXPECT_EQ(read, (DataColumns{{"user", "who"}, {"item", "3"}}));
  EXPECT_EQ(column_of(read, "user"), "who");
  EXPECT_EQ(column_of(read, "time"), "");
}

TEST(ColumnsJson, NothingIsLeftOut) {
  EXPECT_TRUE(columns_json({}).empty());
  EXPECT_TRUE(columns_json({{"text", ""}, {"label", ""}}).empty());
  EXPECT_TRUE(columns_from(config_of("{}")).empty());
}

TEST(ColumnsJson, WhatIsNoNameIsRefused) {
  for (const char* wrong : {"[]", "\"text\"", "{\"text\": 1}", "{\"text\": null}"}) {
    const JsonValue config = config_of(std::string("{\"data_columns\": ") + wrong + "}");
    EXPECT_THROW(columns_from(config), DataError) << wrong;
  }
}

}  // namespace
}  // namespace heed::models
