#include "heed/data/images/resampling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::data {
namespace {

constexpr auto kResamplings = std::to_array<std::pair<const char*, Resampling>>({
    {"nearest", Resampling::kNearest},
    {"box", Resampling::kBox},
    {"bilinear", Resampling::kBilinear},
    {"hamming", Resampling::kHamming},
    {"bicubic", Resampling::kBicubic},
    {"lanczos", Resampling::kLanczos},
});

// Weights are whole numbers of 2⁻²²: a byte times one of them, summed up, fits into 32 bits.
constexpr int kWeightBits = 22;

double sinc(double x) {
  if (x == 0) return 1;
  return std::sin(x * M_PI) / (x * M_PI);
}

// Half the width of a filter, in old pixels or, where there are fewer new ones, in those.
double reach_of(Resampling filter) {
  switch (filter) {
    case Resampling::kNearest:
      return 0;
    case Resampling::kBox:
      return 0.5;
    case Resampling::kBilinear:
    case Resampling::kHamming:
      return 1;
    case Resampling::kBicubic:
      return 2;
    case Resampling::kLanczos:
      return 3;
  }
  return 0;
}

double weight_at(Resampling filter, double x) {
  const double away = std::abs(x);
  if (filter == Resampling::kBox) return x > -0.5 && x <= 0.5 ? 1 : 0;
  if (away >= reach_of(filter)) return 0;
  switch (filter) {
    case Resampling::kBilinear:
      return 1 - away;
    case Resampling::kHamming:
      return sinc(away) * (0.54 + 0.46 * std::cos(away * M_PI));
    case Resampling::kBicubic:
      // Keys 1981, eq. 8 with a = −1/2.
      return away < 1 ? (1.5 * away - 2.5) * away * away + 1
                      : ((-0.5 * away + 2.5) * away - 4) * away + 2;
    case Resampling::kLanczos:
      return sinc(away) * sinc(away / 3);
    default:
      return 0;
  }
}

// Of each new pixel of a line, the first old one that it is made of, and what each counts.
struct Taps {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Taps> taps_of(int64_t from, int64_t to, Resampling filter) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(step, 1.0);
  const double shrink = 1 / stretch;
  const double reach = reach_of(filter) * stretch;
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * step;
    const auto first = static_cast<int64_t>(std::max(0.0, middle - reach + 0.5));
    const auto last = std::min(from, static_cast<int64_t>(middle + reach + 0.5));
    std::vector<double> shares;
    double sum = 0;
    for (int64_t j = first; j < last; ++j) {
      shares.push_back(weight_at(filter, (static_cast<double>(j) - middle + 0.5) * shrink));
      sum += shares.back();
    }
    Taps taps{.first = first, .weights = {}};
    for (const double share : shares) {
      const double weight = (sum == 0 ? share : share / sum) * (1 << kWeightBits);
      taps.weights.push_back(static_cast<int32_t>(std::lround(weight)));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

// The one old pixel of each new one.
std::vector<int64_t> nearest_of(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<int64_t> all;
  double at = step / 2;
  for (int64_t i = 0; i < to; ++i, at += step) {
    all.push_back(std::min(from - 1, static_cast<int64_t>(at)));
  }
  return all;
}

// What the taps make of bytes that are `apart` from each other.
uint8_t sum_of(const uint8_t* from, const Taps& taps, int64_t apart) {
  int32_t sum = 1 << (kWeightBits - 1);
  for (const int32_t weight : taps.weights) {
    sum += weight * *from;
    from += apart;
  }
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

Image with_width(const Image& image, int64_t width, Resampling filter) {
  const int64_t channels = image.channels;
  Image other{.height = image.height, .width = width, .channels = channels, .pixels = {}};
  other.pixels.reserve(static_cast<size_t>(image.height * width * channels));
  const std::vector<Taps> taps = taps_of(image.width, width, filter);
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* row = image.pixels.data() + y * image.width * channels;
    for (const Taps& each : taps) {
      for (int64_t c = 0; c < channels; ++c) {
        other.pixels.push_back(sum_of(row + each.first * channels + c, each, channels));
      }
    }
  }
  return other;
}

Image with_height(const Image& image, int64_t height, Resampling filter) {
  const int64_t row = image.width * image.channels;
  Image other{.height = height, .width = image.width, .channels = image.channels, .pixels = {}};
  other.pixels.reserve(static_cast<size_t>(height * row));
  for (const Taps& each : taps_of(image.height, height, filter)) {
    const uint8_t* first = image.pixels.data() + each.first * row;
    for (int64_t x = 0; x < row; ++x) other.pixels.push_back(sum_of(first + x, each, row));
  }
  return other;
}

Image nearest(const Image& image, int64_t height, int64_t width) {
  const int64_t channels = image.channels;
  Image other{.height = height, .width = width, .channels = channels, .pixels = {}};
  other.pixels.reserve(static_cast<size_t>(height * width * channels));
  const std::vector<int64_t> columns = nearest_of(image.width, width);
  for (const int64_t y : nearest_of(image.height, height)) {
    for (const int64_t x : columns) {
      const uint8_t* pixel = image.pixels.data() + (y * image.width + x) * channels;
      other.pixels.insert(other.pixels.end(), pixel, pixel + channels);
    }
  }
  return other;
}

}  // namespace

std::vector<std::string> resampling_names() {
  std::vector<std::string> names;
  for (const auto& [name, filter] : kResamplings) names.emplace_back(name);
  return names;
}

Resampling resampling_from(const std::string& name) {
  for (const auto& [known, filter] : kResamplings) {
    if (name == known) return filter;
  }
  throw UsageError(
      text_of("resampling: expected one of ", joined(resampling_names()), ", got '", name, "'"));
}

Image resized(const Image& image, int64_t height, int64_t width, Resampling filter) {
  check_usage(height > 0 && width > 0, "a picture's size: expected at least 1 × 1, got ", width,
              " × ", height);
  if (image.height == height && image.width == width) return image;
  if (filter == Resampling::kNearest) return nearest(image, height, width);
  if (image.width == width) return with_height(image, height, filter);
  const Image wide = with_width(image, width, filter);
  return image.height == height ? wide : with_height(wide, height, filter);
}

}  // namespace heed::data
