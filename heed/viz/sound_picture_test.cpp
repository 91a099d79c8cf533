#include "heed/viz/sound_picture.h"

#include <gmock/gmock.h>

#include "heed/base/error.h"
#include "heed/viz/testing/test_picture.h"

namespace heed {
namespace {

SoundPicture picture() {
  SoundPicture sound{
      .title = "seven (98 %)",
      .frames = 40,
      .bins = 10,
      .seconds_per_frame = 0.01,
      .strips = {{"layer 1", std::vector<float>(10, 0.1F)}, {"layer 2", {1, 0, 0.5}}},
      .seconds_per_step = 0.04};
  for (int i = 0; i < 400; ++i) sound.energies.push_back(static_cast<float>(i % 10));
  return sound;
}

class SoundPictureTest : public PictureTest {};

TEST_F(SoundPictureTest, EnergiesStandWithTheLowestBandBelow) {
  write_sound_picture(picture(), path("a.png"));
  const Pixels pixels(path("a.png"));
  const auto dark = rgb_of(color_of_share(1)), light = rgb_of(color_of_share(0));
  // The largest energy is that of the highest band: 640 × 16 points of the sound at least.
  EXPECT_GT(pixels.count(dark), 4 * 630 * 14);
  EXPECT_GT(pixels.count(light), 4 * 630 * 14);
}

TEST_F(SoundPictureTest, PixelsHaveTheHighestBandOnTop) {
  const SoundPixels pixels = sound_pixels(picture());
  EXPECT_EQ(pixels.height, 10);
  EXPECT_EQ(pixels.width, 40);
  EXPECT_EQ(pixels.frames_per_column, 1);
  ASSERT_EQ(pixels.colors.size(), 400U);
  EXPECT_EQ(rgb_of(pixels.colors.front()), rgb_of(color_of_share(1)));
  EXPECT_EQ(rgb_of(pixels.colors.back()), rgb_of(color_of_share(0)));
}

TEST_F(SoundPictureTest, FramesOfALongSoundShareColumns) {
  SoundPicture sound = picture();
  sound.frames = 4001;  // three to a column, the last column has two
  sound.bins = 1;
  sound.energies.assign(4001, 0);
  for (size_t frame : {size_t{0}, size_t{1}, size_t{2}, size_t{4000}}) sound.energies[frame] = 1;
  const SoundPixels pixels = sound_pixels(sound);
  EXPECT_EQ(pixels.width, 1334);
  EXPECT_EQ(pixels.frames_per_column, 3);
  EXPECT_EQ(rgb_of(pixels.colors.front()), rgb_of(color_of_share(1)));
  EXPECT_EQ(rgb_of(pixels.colors.back()), rgb_of(color_of_share(0.5)));
  EXPECT_EQ(rgb_of(pixels.colors[1]), rgb_of(color_of_share(0)));
}

TEST_F(SoundPictureTest, IsTheSameEachTime) {
  write_sound_picture(picture(), path("a.svg"));
  write_sound_picture(picture(), path("b.svg"));
  const std::string svg = file_bytes(path("a.svg"));
  EXPECT_EQ(svg, file_bytes(path("b.svg")));
  EXPECT_NE(svg.find("seven"), std::string::npos);
  write_sound_picture({.frames = 1,
                       .bins = 1,
                       .energies = {0},
                       .seconds_per_frame = 0.01,
                       .seconds_per_step = 0.01},
                      path("c.pdf"));
}

TEST_F(SoundPictureTest, WhatCannotBeDrawnIsRefused) {
  const auto refused = [&](const auto& change) {
    SoundPicture sound = picture();
    change(sound);
    EXPECT_THROW(write_sound_picture(sound, path("a.png")), UsageError);
  };
  refused([](SoundPicture& sound) { sound.frames = 0; });
  refused([](SoundPicture& sound) { sound.energies.pop_back(); });
  refused([](SoundPicture& sound) { sound.seconds_per_step = 0; });
  EXPECT_THROW(write_sound_picture(picture(), path("a.gif")), UsageError);
}

}  // namespace
}  // namespace heed
