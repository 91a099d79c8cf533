// Pictures brought to another size, pixel for pixel as Pillow brings them there. (Pillow 13 takes
// the columns of some tall pictures first, to save work: a byte may then be one more or less.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/data/images/image.h"

namespace heed::data {

// How much an old pixel counts in a new one, by its distance. Pillow's filters: none, a square, a
// triangle, a raised cosine, a cubic (a = −1/2) and a windowed sinc of three lobes.
enum class Resampling : uint8_t { kNearest, kBox, kBilinear, kHamming, kBicubic, kLanczos };

// "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos". Throws UsageError for others.
std::vector<std::string> resampling_names();
Resampling resampling_from(const std::string& name);

// Stretched to another size. Each new pixel is a weighted mean of those that it covers: where the
// picture shrinks the filter is as much wider as the new pixels are, so that nothing small is lost.
// Rows first, then columns, each rounded to bytes. Throws UsageError for a size below 1 × 1.
Image resized(const Image& image, int64_t height, int64_t width,
              Resampling filter = Resampling::kBilinear);

}  // namespace heed::data
