#include "heed/data/images/image_sheet.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_images.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

Image even(int64_t height, int64_t width, int64_t channels, uint8_t value) {
  return {.height = height,
          .width = width,
          .channels = channels,
          .pixels = std::vector<uint8_t>(static_cast<size_t>(height * width * channels), value)};
}

TEST(PngBytes, ComeBackAsTheyWere) {
  const test::Folder folder;
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(5, 7, channels);
    const std::string bytes = png_bytes(image);
    EXPECT_EQ(bytes, png_of(image));
    EXPECT_EQ(bytes, png_bytes(image));
    test::spill(folder / "one.png", bytes);
    const Image back = read_image(folder / "one.png");
    EXPECT_EQ(back.height, 5);
    EXPECT_EQ(back.width, 7);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.pixels, image.pixels);
  }
  Image wrong = gradient(2, 2, 1);
  wrong.pixels.pop_back();
  EXPECT_THROW(png_bytes(wrong), UsageError);
}

TEST(Sheet, PicturesStandRowByRow) {
  const std::vector<Image> images = {even(1, 2, 1, 10), even(1, 2, 1, 20), even(1, 2, 1, 30)};
  const Image sheet = sheet_of(images, {.columns = 2, .gap = 1, .ground = 99});
  EXPECT_EQ(sheet.height, 5);  // 1 + 1 + 1 + 1 + 1
  EXPECT_EQ(sheet.width, 7);   // 1 + 2 + 1 + 2 + 1
  const std::vector<uint8_t> expected = {
      99, 99, 99, 99, 99, 99, 99,  //
      99, 10, 10, 99, 20, 20, 99,  //
      99, 99, 99, 99, 99, 99, 99,  //
      99, 30, 30, 99, 99, 99, 99,  //
      99, 99, 99, 99, 99, 99, 99,
  };
  EXPECT_EQ(sheet.pixels, expected);
  const Image without = sheet_of(images, {.columns = 3, .gap = 0});
  EXPECT_EQ(without.pixels, (std::vector<uint8_t>{10, 10, 20, 20, 30, 30}));
}

TEST(Sheet, HasTheChannelsOfItsPictures) {
  Image red = even(1, 1, 3, 0);
  red.pixels[0] = 255;
  const Image sheet = sheet_of({red, even(1, 1, 3, 7)}, {.columns = 1, .gap = 0});
  EXPECT_EQ(sheet.channels, 3);
  EXPECT_EQ(sheet.pixels, (std::vector<uint8_t>{255, 0, 0, 7, 7, 7}));
}

TEST(Sheet, RefusesPicturesThatAreNotAlike) {
  EXPECT_THROW(sheet_of({}, {}), UsageError);
  EXPECT_THROW(sheet_of({even(1, 1, 1, 0), even(1, 2, 1, 0)}, {}), UsageError);
  EXPECT_THROW(sheet_of({even(1, 1, 1, 0), even(1, 1, 3, 0)}, {}), UsageError);
  EXPECT_THROW(sheet_of({even(1, 1, 1, 0)}, {.columns = 0}), UsageError);
}

}  // namespace
}  // namespace heed::data
