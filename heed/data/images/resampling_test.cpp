#include "heed/data/images/resampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/data/testing/test_images.h"

namespace heed::data {
namespace {

using Bytes = std::vector<uint8_t>;

// 5 × 7, of which Pillow 13.0 made the numbers below.
Image odd_picture() {
  Image image{.height = 5, .width = 7, .pixels = {}};
  for (int i = 0; i < 35; ++i) image.pixels.push_back(static_cast<uint8_t>(i * i * 37 + i * 11));
  return image;
}

TEST(Resampling, ShrinksAsPillowDoes) {
  const std::vector<std::pair<std::string, Bytes>> expected = {
      {"nearest", {0, 170, 124, 118, 238, 176, 154, 172, 132, 94, 96, 138}},
      {"box", {75, 133, 185, 167, 140, 152, 154, 213, 183, 85, 100, 173}},
      {"bilinear", {67, 119, 168, 168, 152, 127, 165, 191, 173, 114, 111, 166}},
      {"hamming", {58, 121, 166, 166, 157, 136, 160, 197, 173, 104, 102, 166}},
      {"bicubic", {59, 121, 172, 168, 157, 123, 168, 196, 182, 110, 103, 171}},
      {"lanczos", {54, 123, 175, 167, 161, 118, 173, 197, 187, 107, 98, 175}}};
  for (const auto& [name, pixels] : expected) {
    EXPECT_EQ(resized(odd_picture(), 3, 4, resampling_from(name)).pixels, pixels) << name;
  }
}

TEST(Resampling, GrowsAsPillowDoes) {
  const std::vector<std::pair<Resampling, Bytes>> expected = {
      {Resampling::kBilinear,
       {0,   32,  102, 157, 110, 121, 173, 181, 118, 56,  90,  98,  107, 176, 190, 163,
        158, 195, 138, 126, 97,  96,  198, 215, 171, 165, 229, 238, 107, 102, 165, 128,
        148, 210, 227, 172, 185, 179, 156, 122, 88,  112, 176, 197, 145, 150, 196, 168,
        97,  66,  93,  161, 185, 136, 132, 180, 155, 86,  58,  88,  158, 185, 138}},
      {Resampling::kBicubic,
       {0,   17,  108, 174, 103, 106, 183, 192, 106, 43,  94,  97,  93,  181, 200, 155,
        146, 199, 141, 137, 85,  74,  212, 239, 160, 149, 245, 247, 95,  89,  176, 128,
        142, 218, 235, 168, 189, 188, 165, 122, 84,  100, 185, 206, 136, 141, 213, 183,
        85,  62,  83,  166, 190, 130, 127, 187, 163, 79,  57,  80,  167, 193, 135}},
      {Resampling::kNearest,
       {0,   48,  48,  170, 110, 124, 212, 212, 118, 98,  152, 152, 24,  226, 246, 84,
        84,  252, 98,  152, 152, 24,  226, 246, 84,  84,  252, 238, 42,  42,  176, 128,
        154, 254, 254, 172, 164, 230, 230, 114, 72,  104, 210, 210, 134, 164, 230, 230,
        114, 72,  104, 210, 210, 134, 132, 204, 204, 94,  58,  96,  208, 208, 138}}};
  for (const auto& [filter, pixels] : expected) {
    EXPECT_EQ(resized(odd_picture(), 7, 9, filter).pixels, pixels);
  }
}

// Each channel by itself.
TEST(Resampling, ColoursDoNotMix) {
  const Image grey = odd_picture();
  Image color{.height = 5, .width = 7, .channels = 3, .pixels = {}};
  for (const uint8_t each : grey.pixels) {
    for (const int value : {int{each}, 255 - each, 40}) {
      color.pixels.push_back(static_cast<uint8_t>(value));
    }
  }
  const Image small = resized(color, 3, 4);
  const Image expected = resized(grey, 3, 4);
  ASSERT_EQ(small.pixels.size(), 36U);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(small.pixels[3 * i], expected.pixels[i]);
    // Each pass rounds by itself.
    EXPECT_NEAR(small.pixels[3 * i + 1], 255 - expected.pixels[i], 2);
    EXPECT_EQ(small.pixels[3 * i + 2], 40);
  }
}

TEST(Resampling, HasNames) {
  for (const std::string& name : resampling_names()) EXPECT_NO_THROW(resampling_from(name));
  EXPECT_THROW(resampling_from("cubic"), UsageError);
}

TEST(Resampling, ResizingKeepsTheMean) {
  const Image image = gradient(24, 36, 1);
  const Image half = resized(image, 12, 18);
  double before = 0, after = 0;
  for (const uint8_t each : image.pixels) before += each / 864.0;
  for (const uint8_t each : half.pixels) after += each / 216.0;
  EXPECT_NEAR(before, after, 2);
  const Image flat{.height = 3, .width = 5, .pixels = std::vector<uint8_t>(15, 77)};
  for (const auto& [height, width] : {std::pair(1, 1), std::pair(7, 2), std::pair(30, 40)}) {
    const Image other = resized(flat, height, width);
    EXPECT_EQ(other.pixels, std::vector<uint8_t>(static_cast<size_t>(height * width), 77));
  }
  EXPECT_EQ(resized(image, 24, 36).pixels, image.pixels);
}

TEST(Resampling, ASmallThingStaysWhenAPictureShrinks) {
  Image dot{.height = 32, .width = 32, .pixels = std::vector<uint8_t>(1024, 0)};
  dot.pixels[17 * 32 + 9] = 255;
  const Image small = resized(dot, 8, 8);
  EXPECT_GT(*std::max_element(small.pixels.begin(), small.pixels.end()), 5);
}

}  // namespace
}  // namespace heed::data
