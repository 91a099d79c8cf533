#include "heed/models/parts/image_codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "heed/base/error.h"

namespace heed::models {
namespace {

// Values that are the same everywhere.
std::vector<uint8_t> noise(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<uint8_t>(random() % 256));
  return values;
}

std::vector<uint8_t> there_and_back(const ImageCodes& codes, const std::vector<uint8_t>& picture) {
  const std::vector<uint16_t> found = codes.encode(picture);
  return codes.decode(std::vector<int64_t>(found.begin(), found.end()));
}

TEST(Levels, AreTheNearestAndComeBack) {
  for (int64_t levels = 2; levels <= 256; ++levels) {
    EXPECT_EQ(value_of_level(0, levels), 0);
    EXPECT_EQ(value_of_level(levels - 1, levels), 255);
    for (int64_t level = 0; level < levels; ++level) {
      ASSERT_EQ(level_of_value(value_of_level(level, levels), levels), level) << levels;
    }
    // Half of the way from one level to the next, and half for the rounding of the level itself.
    const double most = 255.0 / (2.0 * static_cast<double>(levels - 1)) + 0.5;
    for (int value = 0; value < 256; ++value) {
      const auto byte = static_cast<uint8_t>(value);
      const double away =
          std::abs(value - 1.0 * value_of_level(level_of_value(byte, levels), levels));
      ASSERT_LE(away, most) << value << " of " << levels;
    }
  }
  EXPECT_EQ(level_of_value(127, 2), 0);
  EXPECT_EQ(level_of_value(128, 2), 1);
  EXPECT_EQ(value_of_level(1, 4), 85);
}

TEST(ImageCodes, SingleValuesLoseNothingButLevels) {
  const ImageCodeOptions o{.height = 5, .width = 3, .channels = 3, .levels = 256};
  EXPECT_EQ(o.count(), 45);
  const ImageCodes codes(o, learnt_codebook(o, {}, 256));
  EXPECT_EQ(codes.size(), 256);
  EXPECT_TRUE(codes.is_exact());
  const std::vector<uint8_t> picture = noise(45, 1);
  EXPECT_EQ(there_and_back(codes, picture), picture);
  EXPECT_EQ(codes.encode(picture), std::vector<uint16_t>(picture.begin(), picture.end()));

  const ImageCodeOptions few{.height = 5, .width = 3, .channels = 3, .levels = 4};
  const ImageCodes four(few, learnt_codebook(few, {}, 4));
  const std::vector<uint8_t> coarse = there_and_back(four, picture);
  for (size_t i = 0; i < picture.size(); ++i) {
    EXPECT_EQ(coarse[i], value_of_level(level_of_value(picture[i], 4), 4));
  }
  EXPECT_EQ(there_and_back(four, coarse), coarse);
}

TEST(ImageCodes, PatchesOfTwoLevelsAreAllThere) {
  const ImageCodeOptions o{.height = 4, .width = 6, .patch_size = 2, .levels = 2};
  EXPECT_EQ(o.count(), 6);
  const ImageCodes codes(o, learnt_codebook(o, {}, 512));
  EXPECT_EQ(codes.size(), 16);
  EXPECT_TRUE(codes.is_exact());
  std::vector<uint8_t> picture = noise(24, 2);
  for (uint8_t& value : picture) value = value < 128 ? 0 : 255;
  EXPECT_EQ(there_and_back(codes, picture), picture);
  // The first value is that of the highest place.
  std::vector<uint8_t> one(24);
  one[0] = 255;  // upper left of the first patch
  one[9] = 255;  // lower right of the second
  EXPECT_EQ(codes.encode(one), (std::vector<uint16_t>{8, 1, 0, 0, 0, 0}));
}

TEST(ImageCodes, PatchesBeyondTheEdgesAreCutOff) {
  const ImageCodeOptions o{.height = 3, .width = 5, .patch_size = 2, .levels = 2};
  EXPECT_EQ(o.rows(), 2);
  EXPECT_EQ(o.columns(), 3);
  const ImageCodes codes(o, learnt_codebook(o, {}, 16));
  const std::vector<uint8_t> bright(15, 255);
  // Whole; the left half of a patch; its upper half; its upper left corner.
  EXPECT_EQ(codes.encode(bright), (std::vector<uint16_t>{15, 15, 10, 12, 12, 8}));
  EXPECT_EQ(there_and_back(codes, bright), bright);
}

TEST(ImageCodes, ColoursOfAPatchAreTogether) {
  const ImageCodeOptions o{.height = 2, .width = 2, .channels = 3, .patch_size = 2, .levels = 256};
  EXPECT_EQ(o.values(), 12);
  const std::vector<uint8_t> pictures = noise(24, 3);
  const ImageCodes codes(o, learnt_codebook(o, pictures, 8));
  EXPECT_EQ(codes.size(), 2);  // there are no more
  EXPECT_FALSE(codes.is_exact());
  const std::vector<uint8_t> first(pictures.begin(), pictures.begin() + 12);
  EXPECT_EQ(there_and_back(codes, first), first);
}

TEST(Codebook, IsThatOfTheNearestMeans) {
  // Three heaps of patches, of which one is the commonest: 0, about 100, about 200.
  const ImageCodeOptions o{.height = 2, .width = 2, .patch_size = 2, .levels = 256};
  std::vector<uint8_t> pictures;
  for (int i = 0; i < 90; ++i) {
    const int middle = i < 50 ? 0 : i < 70 ? 100 : 200;
    for (int j = 0; j < 4; ++j) {
      pictures.push_back(static_cast<uint8_t>(middle == 0 ? 0 : middle + (i + j) % 3 - 1));
    }
  }
  const std::vector<uint8_t> codebook = learnt_codebook(o, pictures, 3);
  ASSERT_EQ(codebook.size(), 12u);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_NEAR(codebook[i], 100.0 * static_cast<double>(i / 4), 1) << i;  // in order
  }
  EXPECT_EQ(learnt_codebook(o, pictures, 3), codebook);
  const ImageCodes codes(o, codebook);
  EXPECT_EQ(codes.encode(std::vector<uint8_t>{140, 140, 140, 140, 160, 160, 160, 160}),
            (std::vector<uint16_t>{1, 2}));
}

TEST(Codebook, MoreEntriesLoseLess) {
  const ImageCodeOptions o{.height = 8, .width = 8, .patch_size = 2, .levels = 256};
  const std::vector<uint8_t> pictures = noise(64 * 30, 4);
  double before = 1e9;
  for (const int64_t size : {2, 16, 128}) {
    const std::vector<uint8_t> codebook = learnt_codebook(o, pictures, size);
    EXPECT_EQ(learnt_codebook(o, pictures, size), codebook);
    EXPECT_LE(std::ssize(codebook), 4 * size);
    const ImageCodes codes(o, codebook);
    double sum = 0;
    for (int64_t i = 0; i < 30; ++i) {
      const std::vector<uint8_t> picture(pictures.begin() + 64 * i,
                                         pictures.begin() + 64 * (i + 1));
      const std::vector<uint8_t> back = there_and_back(codes, picture);
      for (size_t j = 0; j < picture.size(); ++j) sum += std::pow(1.0 * picture[j] - back[j], 2);
      EXPECT_EQ(there_and_back(codes, back), back);  // what is written is read as the same codes
    }
    EXPECT_LT(sum, before);
    before = sum;
  }
}

TEST(ImageCodes, RefusesWhatDoesNotFit) {
  const ImageCodeOptions o{.height = 2, .width = 2, .patch_size = 2, .levels = 2};
  EXPECT_THROW(ImageCodes(o, {}), UsageError);
  EXPECT_THROW(ImageCodes(o, {0, 0, 0}), UsageError);
  const ImageCodes codes(o, learnt_codebook(o, {}, 16));
  EXPECT_THROW(codes.encode(std::vector<uint8_t>(5)), UsageError);
  EXPECT_THROW(codes.decode(std::vector<int64_t>{1, 2}), UsageError);
  EXPECT_THROW(codes.decode(std::vector<int64_t>{16}), UsageError);
  EXPECT_TRUE(whole_codebook(o, 15).empty());
  EXPECT_THROW(learnt_codebook(o, {}, 8), UsageError);
}

}  // namespace
}  // namespace heed::models
