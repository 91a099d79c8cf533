// testdata/detection.json, written by tools/detection_oracles.py, has what pycocotools says.
#include "heed/metrics/detection.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/json.h"

namespace heed::metrics {
namespace {

constexpr double kClose = 1e-12;  // both sides work in double precision

PixelBox box_from(const JsonValue& row) {
  return {.x = row.at(2).number(),
          .y = row.at(3).number(),
          .width = row.at(4).number(),
          .height = row.at(5).number()};
}

std::vector<RealObject> real_from(const JsonValue& rows) {
  std::vector<RealObject> objects;
  for (size_t i = 0; i < rows.array_size(); ++i) {
    const JsonValue row = rows.at(i);
    objects.push_back({.image = row.at(0).integer(),
                       .category = row.at(1).integer(),
                       .box = box_from(row),
                       .area = row.at(6).number(),
                       .crowd = row.at(7).integer() == 1});
  }
  return objects;
}

std::vector<FoundObject> found_from(const JsonValue& rows) {
  std::vector<FoundObject> objects;
  for (size_t i = 0; i < rows.array_size(); ++i) {
    const JsonValue row = rows.at(i);
    objects.push_back({.image = row.at(0).integer(),
                       .category = row.at(1).integer(),
                       .box = box_from(row),
                       .score = row.at(6).number()});
  }
  return objects;
}

TEST(Detection, IsWhatPycocotoolsSays) {
  const JsonValue cases =
      read_json("heed/metrics/testdata/detection.json", {.max_bytes = 1 << 22}).at("cases");
  ASSERT_GE(cases.array_size(), 8u);
  for (size_t i = 0; i < cases.array_size(); ++i) {
    SCOPED_TRACE(text_of("case ", i));
    const JsonValue drawn = cases.at(i);
    const DetectionScores scores =
        detection_scores(real_from(drawn.at("real")), found_from(drawn.at("found")),
                         drawn.at("images").integer(), drawn.at("categories").integer());
    const JsonValue expected = drawn.at("scores");
    EXPECT_NEAR(scores.ap, expected.at("ap").number(), kClose);
    EXPECT_NEAR(scores.ap50, expected.at("ap50").number(), kClose);
    EXPECT_NEAR(scores.ap75, expected.at("ap75").number(), kClose);
    EXPECT_NEAR(scores.ap_small, expected.at("ap_small").number(), kClose);
    EXPECT_NEAR(scores.ap_medium, expected.at("ap_medium").number(), kClose);
    EXPECT_NEAR(scores.ap_large, expected.at("ap_large").number(), kClose);
    EXPECT_NEAR(scores.ar1, expected.at("ar1").number(), kClose);
    EXPECT_NEAR(scores.ar10, expected.at("ar10").number(), kClose);
    EXPECT_NEAR(scores.ar100, expected.at("ar100").number(), kClose);
    EXPECT_NEAR(scores.ar_small, expected.at("ar_small").number(), kClose);
    EXPECT_NEAR(scores.ar_medium, expected.at("ar_medium").number(), kClose);
    EXPECT_NEAR(scores.ar_large, expected.at("ar_large").number(), kClose);
    const JsonValue of_category = drawn.at("ap_of_category");
    ASSERT_EQ(scores.ap_of_category.size(), of_category.array_size());
    for (size_t k = 0; k < of_category.array_size(); ++k) {
      EXPECT_NEAR(scores.ap_of_category[k], of_category.at(k).number(), kClose);
    }
  }
}

TEST(Detection, OverlapIsWhatBothCoverOverWhatEitherCovers) {
  const PixelBox a{.x = 0, .y = 0, .width = 4, .height = 2};
  const PixelBox b{.x = 2, .y = 0, .width = 4, .height = 2};
  EXPECT_DOUBLE_EQ(overlap(a, a), 1);
  EXPECT_DOUBLE_EQ(overlap(a, b), 4 / 12.0);
  EXPECT_DOUBLE_EQ(overlap(a, b, /*is_crowd=*/true), 0.5);
  EXPECT_EQ(overlap(a, {.x = 4, .y = 0, .width = 1, .height = 1}), 0);  // they touch
}

// One of two objects is found, by the surer of two boxes: precision 1 up to a recall of a half.
TEST(Detection, WhatIsMissingCountsAsWrong) {
  const PixelBox here{.x = 0, .y = 0, .width = 10, .height = 10};
  const PixelBox there{.x = 50, .y = 50, .width = 10, .height = 10};
  const std::vector<RealObject> real = {{.box = here, .area = 100}, {.box = there, .area = 100}};
  const std::vector<FoundObject> found = {
      {.box = {.x = 80, .y = 0, .width = 10, .height = 10}, .score = 0.1},
      {.box = here, .score = 0.9}};
  const DetectionScores scores = detection_scores(real, found, 1, 2);
  EXPECT_NEAR(scores.ap50, 51 / 101.0, kClose);
  EXPECT_NEAR(scores.ar100, 0.5, kClose);
  EXPECT_EQ(scores.ap_of_category[1], -1);  // of which there is none
  EXPECT_EQ(scores.ap_large, -1);
}

TEST(Detection, NumbersMustBeOfWhatThereIs) {
  EXPECT_THROW(detection_scores({{.image = 1}}, {}, 1, 1), UsageError);
  EXPECT_THROW(detection_scores({}, {{.category = -1}}, 1, 1), UsageError);
  EXPECT_EQ(detection_scores({}, {}, 0, 0).ap, -1);
}

}  // namespace
}  // namespace heed::metrics
