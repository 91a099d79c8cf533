#include "heed/viz/drawing/color_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace heed {
namespace {

double contrast(const Color& a, const Color& b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(ColorMap, RunsFromNearlyWhiteToDark) {
  EXPECT_GT(luminance(color_of_share(0)), 0.93);
  EXPECT_LT(luminance(color_of_share(1)), 0.03);
}

TEST(ColorMap, LightnessFallsAtEveryStep) {
  for (int step = 1; step < 256; ++step) {
    EXPECT_LT(luminance(color_of_share(step / 255.0)),
              luminance(color_of_share((step - 1) / 255.0)))
        << step;
  }
}

TEST(ColorMap, StaysInsideTheRangeOfAScreen) {
  for (int step = 0; step < 256; ++step) {
    const Color color = color_of_share(step / 255.0);
    for (const double part : {color.red, color.green, color.blue}) {
      EXPECT_GE(part, 0) << step;
      EXPECT_LE(part, 1) << step;
    }
  }
}

TEST(ColorMap, OutsideTakesTheNearerEnd) {
  EXPECT_EQ(color_of_share(-3).red, color_of_share(0).red);
  EXPECT_EQ(color_of_share(1e9).blue, color_of_share(1).blue);
}

TEST(ColorMap, TextIsLegibleOnEveryColor) {
  for (int step = 0; step < 256; ++step) {
    const Color background = color_of_share(step / 255.0);
    EXPECT_GE(contrast(background, text_color_on(background)), 4.0) << step;
  }
}

TEST(ColorMap, WhatIsNoNumberLooksLikeNoValue) {
  for (int step = 0; step < 256; ++step) {
    const Color color = color_of_share(step / 255.0);
    EXPECT_GT(std::hypot(color.red - kNotFiniteColor.red, color.green - kNotFiniteColor.green,
                         color.blue - kNotFiniteColor.blue),
              0.4);
  }
}

}  // namespace
}  // namespace heed
