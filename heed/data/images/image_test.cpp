#include "heed/data/images/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/data/testing/test_images.h"

namespace heed::data {
namespace {

using ::testing::HasSubstr;

class Images : public ::testing::Test {
 protected:
  std::string refusal(const std::string& bytes, const ImageLimits& limits = {}) {
    const auto file = written_("a.png", bytes);
    return test::message_of<DataError>([&] { read_image(file, limits); });
  }

  Written written_;
};

TEST_F(Images, PngsAreReadAsTheyAre) {
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(7, 9, channels);
    const Image found = read_image(written_("a.png", png_of(image)));
    EXPECT_EQ(found.height, 7);
    EXPECT_EQ(found.width, 9);
    EXPECT_EQ(found.channels, channels);
    EXPECT_EQ(found.pixels, image.pixels);
  }
}

TEST_F(Images, WhatIsTransparentIsBlack) {
  const Image image{
      .height = 1, .width = 2, .channels = 4, .pixels = {9, 8, 7, 255, 200, 200, 200, 0}};
  EXPECT_EQ(read_image(written_("a.png", png_of(image))).pixels,
            std::vector<uint8_t>({9, 8, 7, 0, 0, 0}));
}

TEST_F(Images, JpegsAreNearWhatTheyWere) {
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(16, 24, channels);
    const Image found = read_image(written_("a.jpg", jpeg_of(image)));
    EXPECT_EQ(found.channels, channels);
    ASSERT_EQ(found.pixels.size(), image.pixels.size());
    for (size_t i = 0; i < image.pixels.size(); ++i) {
      EXPECT_NEAR(found.pixels[i], image.pixels[i], 12) << i;
    }
  }
}

TEST_F(Images, WhatIsCutOffIsRefused) {
  for (const std::string& whole : {png_of(gradient(40, 40, 3)), jpeg_of(gradient(40, 40, 3))}) {
    for (const double share : {0.02, 0.3, 0.6, 0.95}) {
      const auto length = static_cast<size_t>(static_cast<double>(whole.size()) * share);
      EXPECT_THAT(refusal(whole.substr(0, length)), HasSubstr("a.png: ")) << share;
    }
  }
  EXPECT_THAT(refusal(""), HasSubstr("found an empty file"));
  EXPECT_THAT(refusal("GIF89a"), HasSubstr("begins as neither"));
}

TEST_F(Images, DamageIsRefusedOrRead) {
  const std::string whole = png_of(gradient(20, 20, 1));
  for (size_t at = 8; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    const auto file = written_("b.png", bytes);
    try {
      const Image image = read_image(file);
      EXPECT_EQ(std::ssize(image.pixels), image.height * image.width * image.channels);
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("b.png"));
    }
  }
}

TEST_F(Images, ABombIsRefusedByItsHeader) {
  std::string png = png_of(gradient(2, 2, 1));
  // Its width and height, behind the length and the name of the first chunk, and the chunk's sum.
  png[16] = 0x0F;
  png[20] = 0x0F;
  EXPECT_THAT(refusal(png), HasSubstr("PNG cannot be read"));  // the sum is wrong
  const std::string large = png_of(gradient(30, 50, 1));
  EXPECT_THAT(refusal(large, {.most_pixels = 1499}),
              HasSubstr("50 × 30 pixels, expected at most 1499 in all"));
  EXPECT_THAT(refusal(jpeg_of(gradient(30, 50, 1)), {.most_pixels = 1499}), HasSubstr("50 × 30"));
  EXPECT_THAT(refusal(large, {.most_bytes = 20}), HasSubstr("more than the 20 bytes"));
}

TEST_F(Images, ABombOfManyScansIsRefused) {
  // Each scan of a progressive JPEG goes over the whole picture once more.
  const std::string whole = jpeg_of(gradient(16, 16, 1), TJFLAG_PROGRESSIVE);
  const size_t last = whole.rfind("\xFF\xDA");
  ASSERT_NE(last, std::string::npos);
  const size_t end = whole.size() - 2;
  std::string bomb = whole.substr(0, last);
  for (int i = 0; i < 600; ++i) bomb += whole.substr(last, end - last);
  EXPECT_THAT(refusal(bomb + whole.substr(end)), HasSubstr("scans"));
  EXPECT_EQ(read_image(written_("a.jpg", whole)).height, 16);
}

TEST_F(Images, GreyIsTheLuma) {
  const Image color{
      .height = 1, .width = 3, .channels = 3, .pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255}};
  EXPECT_EQ(with_channels(color, 1).pixels, std::vector<uint8_t>({76, 150, 29}));
  const Image grey{.height = 1, .width = 2, .pixels = {3, 9}};
  EXPECT_EQ(with_channels(grey, 3).pixels, std::vector<uint8_t>({3, 3, 3, 9, 9, 9}));
}

}  // namespace
}  // namespace heed::data
