#include "heed/viz/curves.h"

#include <gmock/gmock.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/viz/testing/test_picture.h"

namespace heed {
namespace {

CurveChart chart() {
  return {.title = "A run",
          .x_axis = "epoch",
          .panels = {{"loss",
                      {{"training", {1, 2, 3}, {0.7, 0.4, 0.2}},
                       {"validation", {1, 2, 3}, {0.8, 0.6, 0.5}}}},
                     {"accuracy", {{"validation", {1, 2, 3}, {0.6, 0.7, 0.8}}}}}};
}

class CurvesTest : public PictureTest {};

TEST_F(CurvesTest, WritesPngOfTheAskedWidth) {
  write_curves(chart(), path("a.png"), {.width = 500, .height = 120, .scale = 2});
  const Pixels pixels(path("a.png"));
  EXPECT_EQ(pixels.width(), 1000);
  EXPECT_GT(pixels.height(), 2 * 2 * 120);
  // Two curves in the first panel, and the colour of the second again in the other panel.
  EXPECT_GT(pixels.count(rgb_of({0.13, 0.36, 0.69})), 500);
  EXPECT_GT(pixels.count(rgb_of({0.91, 0.45, 0.13})), 1000);
  EXPECT_EQ(pixels.count(rgb_of({0.11, 0.55, 0.47})), 0);
}

TEST_F(CurvesTest, ALongTitleWraps) {
  CurveChart long_title = chart();
  write_curves(long_title, path("a.png"), {.width = 400});
  for (int i = 0; i < 20; ++i) long_title.title += " and more of it";
  write_curves(long_title, path("b.png"), {.width = 400});
  EXPECT_GT(Pixels(path("b.png")).height(), Pixels(path("a.png")).height() + 2 * 40);
}

TEST_F(CurvesTest, WritesWellFormedSvg) {
  CurveChart odd = chart();
  odd.title = "loss < 1 & \"rising\" \xff";
  odd.panels[0].curves[0].name = "<script>";
  write_curves(odd, path("a.svg"));
  const std::string svg = file_bytes(path("a.svg"));
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, testing::HasSubstr("<title>loss &lt; 1 &amp; \"rising\" \uFFFD</title>"));
}

TEST_F(CurvesTest, SameInputSameBytes) {
  for (const std::string extension : {".png", ".svg"}) {
    write_curves(chart(), path("a" + extension));
    write_curves(chart(), path("b" + extension));
    EXPECT_EQ(file_bytes(path("a" + extension)), file_bytes(path("b" + extension)));
  }
}

TEST_F(CurvesTest, DrawsOnePointAndFlatLinesAndGaps) {
  const std::vector<Curve> curves = {{"one", {5}, {2}},
                                     {"flat", {1, 2, 3}, {0, 0, 0}},
                                     {"gap", {1, 2, 3, 4}, {1, NAN, 3, INFINITY}},
                                     {"huge", {1, 2}, {-1e300, 1e300}},
                                     {"none and one", {NAN, 1}, {1, 1e-300}}};
  for (const Curve& curve : curves) {
    write_curves({.title = "", .panels = {{"y", {curve}}}}, path("a.png"));
    EXPECT_GT(Pixels(path("a.png")).count(rgb_of({0.13, 0.36, 0.69})), 100) << curve.name;
  }
}

TEST_F(CurvesTest, AMillionPointsKeepTheirExtremesInASmallFile) {
  Curve curve{"long", {}, {}};
  for (int i = 0; i < 1'000'000; ++i) {
    curve.x.push_back(i);
    curve.y.push_back(i % 97 * 0.001);
  }
  curve.y[345'678] = 5;  // one spike
  write_curves({.title = "", .panels = {{"y", {curve}}}}, path("a.png"));
  write_curves({.title = "", .panels = {{"y", {curve}}}}, path("a.svg"));
  EXPECT_LT(file_bytes(path("a.svg")).size(), 300'000U);
  const Pixels pixels(path("a.png"));
  int64_t high_blue = 0;  // the spike alone reaches the middle of the picture
  for (int x = 0; x < pixels.width(); ++x) {
    const auto [red, green, blue] = pixels.at(x, pixels.height() / 2.0);
    high_blue += blue - red > 60 ? 1 : 0;
  }
  EXPECT_GE(high_blue, 1);
  EXPECT_LE(high_blue, 8);
}

TEST_F(CurvesTest, RefusesWhatItCannotDraw) {
  CurveChart uneven = chart();
  uneven.panels[0].curves[0].y.pop_back();
  EXPECT_THROW(write_curves(uneven, path("a.png")), UsageError);
  EXPECT_THROW(write_curves({.title = "nothing", .panels = {}}, path("a.png")), UsageError);
  const CurveChart hollow{.title = "", .panels = {{"y", {{"c", {1, 2}, {NAN, NAN}}}}}};
  EXPECT_THROW(write_curves(hollow, path("a.png")), UsageError);
  EXPECT_THROW(write_curves(chart(), path("a.bmp")), UsageError);
  EXPECT_THROW(write_curves(chart(), path("a.png"), {.width = 10}), UsageError);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace heed
