#include "heed/tasks/image/pixels.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace heed::tasks {
namespace {

constexpr double kSmallestPixelDeviation = 1e-3;

}  // namespace

PixelScale pixel_scale(const data::ImageData& data) {
  PixelScale scale;
  const auto channels = static_cast<size_t>(data.channels);
  std::vector<double> sums(channels);
  std::vector<double> squares(channels);
  for (size_t i = 0; i < data.pixels.size(); ++i) {
    const double value = data.pixels[i] / 255.0;
    sums[i % channels] += value;
    squares[i % channels] += value * value;
  }
  const double count = static_cast<double>(data.pixels.size() / channels);
  for (size_t c = 0; c < channels; ++c) {
    const double mean = sums[c] / count;
    const double variance = std::max(0.0, squares[c] / count - mean * mean);
    scale.means.push_back(mean);
    scale.deviations.push_back(std::max(std::sqrt(variance), kSmallestPixelDeviation));
  }
  return scale;
}

at::Tensor standardised_pixels(const data::ImageData& data, const std::vector<int64_t>& numbers,
                               const PixelScale& scale) {
  const int64_t channels = data.channels;
  const int64_t places = data.height * data.width;
  const at::Tensor batch = at::empty({std::ssize(numbers), channels, data.height, data.width});
  auto* to = batch.mutable_data_ptr<float>();
  for (const int64_t number : numbers) {
    const uint8_t* from = data.pixels.data() + number * data.size();
    for (int64_t c = 0; c < channels; ++c) {
      const auto mean = static_cast<float>(scale.means[static_cast<size_t>(c)]);
      const auto factor = static_cast<float>(1 / scale.deviations[static_cast<size_t>(c)]);
      for (int64_t i = 0; i < places; ++i) {
        *to++ = (static_cast<float>(from[i * channels + c]) / 255.0F - mean) * factor;
      }
    }
  }
  return batch;
}

}  // namespace heed::tasks
