// Pixels as models read them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/data/images/image_data.h"

namespace heed::tasks {

// Mean and deviation of each channel, of pixels from 0 to 1.
struct PixelScale {
  std::vector<double> means;
  std::vector<double> deviations;
};

// Of these pictures; no deviation is below 0.001.
PixelScale pixel_scale(const data::ImageData& data);

// The pictures with these numbers, standardised: (B, channels, height, width).
at::Tensor standardised_pixels(const data::ImageData& data, const std::vector<int64_t>& numbers,
                               const PixelScale& scale);

}  // namespace heed::tasks
