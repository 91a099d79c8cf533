#include "heed/viz/picture_overlay.h"

#include <gmock/gmock.h>

#include "heed/base/error.h"
#include "heed/viz/testing/test_picture.h"

namespace heed {
namespace {

class PictureOverlayTest : public PictureTest {};

PictureOverlay overlay() {
  PictureOverlay made{.title = "seven (99 %)", .height = 4, .width = 4};
  for (int i = 0; i < 16; ++i) made.pixels.push_back(i < 8 ? Color{1, 1, 1} : Color{0, 0, 0});
  made.layers = {{.title = "layer 1",
                  .rows = 2,
                  .columns = 2,
                  .covered_height = 4,
                  .covered_width = 4,
                  .values = {0, 0.5F, 0.25F, 0}}};
  return made;
}

TEST_F(PictureOverlayTest, WeightsLieOverThePicture) {
  write_picture_overlay(overlay(), path("a.png"));
  const Pixels pixels(path("a.png"));
  const Color dark = color_of_share(1);
  const auto over = [](double under, double part) { return 0.35 * under + 0.65 * part; };
  const Color expected{over(1, dark.red), over(1, dark.green), over(1, dark.blue)};
  EXPECT_EQ(pixels.count(rgb_of(expected)), 180 * 180);  // a quarter of 180 points, two pixels each
  const Color none = color_of_share(0);
  const Color black{over(0, none.red), over(0, none.green), over(0, none.blue)};
  EXPECT_EQ(pixels.count(rgb_of(black)), 180 * 180);
}

TEST_F(PictureOverlayTest, TheGridMayCoverMoreThanThePicture) {
  PictureOverlay wide = overlay();
  wide.layers[0].covered_height = 8;  // all of the picture is in its first row
  write_picture_overlay(wide, path("a.png"));
  const Color dark = color_of_share(1);
  const auto over = [](double under, double part) { return 0.35 * under + 0.65 * part; };
  const Pixels pixels(path("a.png"));
  EXPECT_EQ(pixels.count(rgb_of({over(0, dark.red), over(0, dark.green), over(0, dark.blue)})),
            180 * 180);
}

TEST_F(PictureOverlayTest, FramesStandAroundWhatWasFound) {
  const Pixels::Rgb line = rgb_of(kNotFiniteColor);
  write_picture_overlay(overlay(), path("none.png"));
  EXPECT_EQ(Pixels(path("none.png")).count(line), 0);
  PictureOverlay framed = overlay();
  framed.frames = {{.x = 1, .y = 1, .width = 2, .height = 2}};
  write_picture_overlay(framed, path("one.png"));
  // Four sides of half the picture: 90 points, two pixels each, at least one pixel wide.
  const int64_t one = Pixels(path("one.png")).count(line);
  EXPECT_GT(one, 4 * 170);
  framed.frames[0].label = "seven";
  framed.layers[0].frames = framed.frames;
  write_picture_overlay(framed, path("two.png"));
  EXPECT_GT(Pixels(path("two.png")).count(line), 3 * one / 2);
  write_picture_overlay(framed, path("two.svg"));
  EXPECT_TRUE(is_well_formed(file_bytes(path("two.svg"))));
}

TEST_F(PictureOverlayTest, EveryFormIsWritten) {
  write_picture_overlay(overlay(), path("a.svg"));
  EXPECT_TRUE(is_well_formed(file_bytes(path("a.svg"))));
  write_picture_overlay(overlay(), path("a.pdf"));
  EXPECT_THAT(file_bytes(path("a.pdf")), testing::StartsWith("%PDF"));
}

TEST_F(PictureOverlayTest, CountsMustMatch) {
  PictureOverlay bad = overlay();
  bad.pixels.pop_back();
  EXPECT_THROW(write_picture_overlay(bad, path("a.png")), UsageError);
  bad = overlay();
  bad.layers[0].values.pop_back();
  EXPECT_THROW(write_picture_overlay(bad, path("a.png")), UsageError);
  EXPECT_THROW(write_picture_overlay(overlay(), path("a.gif")), UsageError);
}

}  // namespace
}  // namespace heed
