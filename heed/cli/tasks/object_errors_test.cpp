#include "heed/cli/tasks/object_errors.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

using metrics::PixelBox;

TEST(ObjectErrors, WhatIsNotThereAndWhatIsNotFound) {
  const PixelBox left{.x = 0, .y = 0, .width = 10, .height = 10};
  const PixelBox beside{.x = 4, .y = 0, .width = 10, .height = 10};  // shares 60 of 140 with left
  const PixelBox nearly{.x = 2, .y = 0, .width = 10, .height = 10};  // 80 of 120
  const PixelBox right{.x = 50, .y = 0, .width = 10, .height = 10};
  const auto rows = [](const std::vector<metrics::RealObject>& real,
                       const std::vector<metrics::FoundObject>& found) {
    std::string all;
    for (const auto& each :
         object_errors(real, found, 0.5, {.pictures = {"a", "b"}, .categories = {"cat", "dog"}})) {
      all += text_of(each.row["where"].get<std::string>(), ':',
                     each.row["expected"].get<std::string>(), '/',
                     each.row["predicted"].get<std::string>(), ' ');
      EXPECT_EQ(each.confidence, each.row["score"].get<double>());
    }
    return all;
  };
  const std::vector<metrics::RealObject> cat = {{.image = 0, .category = 0, .box = left}};
  EXPECT_EQ(rows(cat, {{0, 0, nearly, 0.6}}), "");
  EXPECT_EQ(rows(cat, {{0, 0, nearly, 0.4}}), "a:cat/ ");                   // too unsure to count
  EXPECT_EQ(rows(cat, {{1, 0, left, 0.6}}), "b:/cat a:cat/ ");              // in another picture
  EXPECT_EQ(rows(cat, {{0, 0, beside, 0.6}}), "a:/cat a:cat/ ");            // elsewhere
  EXPECT_EQ(rows(cat, {{0, 1, left, 0.6}}), "a:cat/dog ");                  // another category
  EXPECT_EQ(rows(cat, {{0, 0, left, 0.6}, {0, 0, left, 0.9}}), "a:/cat ");  // found twice
  EXPECT_EQ(rows(cat, {{0, 1, left, 0.9}, {0, 0, left, 0.6}}), "a:/dog ");  // not taken by a dog
  EXPECT_EQ(rows(cat, {{0, 1, right, 0.6}, {0, 0, right, 0.9}}), "a:/cat a:/dog a:cat/ ");
  const std::vector<metrics::RealObject> crowd = {
      {.image = 0, .category = 0, .box = left, .crowd = true}};
  EXPECT_EQ(rows(crowd, {}), "");
  EXPECT_EQ(rows(crowd, {{0, 0, left, 0.6}, {0, 0, left, 0.9}}), "");
}

}  // namespace
}  // namespace heed::cli
