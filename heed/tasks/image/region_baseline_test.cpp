#include "heed/tasks/image/region_baseline.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

// Bars that do not touch, level or upright; `ground`: the grey around them.
data::ObjectData apart_bars(int64_t count, uint8_t ground, uint8_t ink) {
  data::ObjectData data;
  data.pictures = {.files = {"bars"},
                   .height = 20,
                   .width = 20,
                   .channels = 1,
                   .pixels = {},
                   .labels = {},
                   .classes = {},
                   .names = {}};
  data.categories = {"level", "upright"};
  data.category_ids = {1, 2};
  data.pictures.pixels.assign(static_cast<size_t>(count * 400), ground);
  for (int64_t i = 0; i < count; ++i) {
    data.image_ids.push_back(i);
    data.pictures.names.push_back(text_of(i));
    data.pictures.sizes.push_back({.height = 40, .width = 20});  // it was brought to half
    for (int64_t kind = 0; kind < 2; ++kind) {
      const int64_t width = kind == 0 ? 6 : 2;
      const int64_t height = kind == 0 ? 2 : 5;
      const int64_t left = 1 + (3 * i + kind) % 11;
      const int64_t top = 2 + 9 * kind;
      for (int64_t y = top; y < top + height; ++y) {
        for (int64_t x = left; x < left + width; ++x) {
          data.pictures.pixels[static_cast<size_t>(i * 400 + y * 20 + x)] = ink;
        }
      }
      data.objects.push_back({.image = i,
                              .category = kind,
                              .x = static_cast<double>(left),
                              .y = static_cast<double>(2 * top),
                              .width = static_cast<double>(width),
                              .height = static_cast<double>(2 * height),
                              .area = static_cast<double>(2 * width * height)});
    }
  }
  return data;
}

TEST(RegionBaseline, FindsWhatStandsApart) {
  for (const bool bright : {true, false}) {
    const data::ObjectData data = apart_bars(12, bright ? 10 : 240, bright ? 240 : 10);
    const auto found = region_baseline(data, data);
    ASSERT_EQ(found.size(), 24u);
    for (size_t i = 0; i < found.size(); ++i) {  // both from the top of each picture
      const data::LabeledObject& real = data.objects[i];
      EXPECT_EQ(found[i].image, real.image);
      EXPECT_EQ(found[i].category, real.category);
      EXPECT_NEAR(found[i].box.x, real.x, 1e-9);
      EXPECT_NEAR(found[i].box.y, real.y, 1e-9);
      EXPECT_NEAR(found[i].box.width, real.width, 1e-9);
      EXPECT_NEAR(found[i].box.height, real.height, 1e-9);
    }
  }
}

TEST(RegionBaseline, PicturesOfOneGreyHaveNothing) {
  const data::ObjectData data = apart_bars(3, 10, 240);
  const data::ObjectData blank = apart_bars(3, 10, 10);
  EXPECT_TRUE(region_baseline(data, blank).empty());
}

}  // namespace
}  // namespace heed::tasks
