#include "heed/tasks/image/region_baseline.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace heed::tasks {
namespace {

constexpr int64_t kRegionSide = 12;  // that a box is brought to
constexpr int64_t kMostBoxes = 20'000;
constexpr int64_t kLeastRegion = 4;      // pixels
constexpr int64_t kMostHistogram = 500;  // pictures that the threshold is chosen by

data::Image grey_picture(const data::ImageData& pictures, int64_t number) {
  const uint8_t* first = pictures.pixels.data() + number * pictures.size();
  const data::Image image{.height = pictures.height,
                          .width = pictures.width,
                          .channels = pictures.channels,
                          .pixels = {first, first + pictures.size()}};
  return data::with_channels(image, 1);
}

// What is foreground: grey above the threshold, or, where that is more than half, what is not.
struct Foreground {
  int threshold = 0;
  bool bright = true;
  bool holds(uint8_t grey) const { return (grey > threshold) == bright; }
};

Foreground foreground_of(const data::ImageData& pictures) {
  std::array<double, 256> counts = {};
  for (int64_t i = 0; i < std::min(pictures.count(), kMostHistogram); ++i) {
    for (const uint8_t grey : grey_picture(pictures, i).pixels) ++counts[grey];
  }
  double all = 0, sum = 0;
  for (size_t grey = 0; grey < counts.size(); ++grey) {
    all += counts[grey];
    sum += static_cast<double>(grey) * counts[grey];
  }
  Foreground best;
  double below = 0, sum_below = 0, most = -1, share = 0;
  for (size_t grey = 0; grey + 1 < counts.size(); ++grey) {
    below += counts[grey];
    sum_below += static_cast<double>(grey) * counts[grey];
    if (below == 0 || below == all) continue;
    const double apart = sum_below / below - (sum - sum_below) / (all - below);
    const double between = below * (all - below) * apart * apart;
    if (between <= most) continue;
    most = between;
    best.threshold = static_cast<int>(grey);
    share = (all - below) / all;
  }
  best.bright = share <= 0.5;
  return best;
}

struct Region {
  int64_t left, top, right, bottom;  // the last two are outside
  int64_t pixels = 0;
};

// Those that touch each other at sides or corners.
std::vector<Region> regions_of(const data::Image& image, const Foreground& foreground) {
  std::vector<bool> open;
  for (const uint8_t grey : image.pixels) open.push_back(foreground.holds(grey));
  std::vector<Region> regions;
  std::vector<std::pair<int64_t, int64_t>> waiting;  // row, column
  const auto visit = [&](int64_t y, int64_t x) {
    if (y < 0 || x < 0 || y >= image.height || x >= image.width) return;
    const auto at = static_cast<size_t>(y * image.width + x);
    if (!open[at]) return;
    open[at] = false;
    waiting.emplace_back(y, x);
  };
  for (int64_t i = 0; i < image.height * image.width; ++i) {
    visit(i / image.width, i % image.width);
    if (waiting.empty()) continue;
    Region region{.left = image.width, .top = image.height, .right = 0, .bottom = 0};
    while (!waiting.empty()) {
      const auto [y, x] = waiting.back();
      waiting.pop_back();
      ++region.pixels;
      region.left = std::min(region.left, x);
      region.top = std::min(region.top, y);
      region.right = std::max(region.right, x + 1);
      region.bottom = std::max(region.bottom, y + 1);
      for (int64_t down = -1; down <= 1; ++down) {
        for (int64_t across = -1; across <= 1; ++across) visit(y + down, x + across);
      }
    }
    if (region.pixels >= kLeastRegion) regions.push_back(region);
  }
  return regions;
}

// Appends what tells the class: the pixels of the box, its sides, and 1.
void add_region_features(const data::Image& image, const Region& region,
                         std::vector<float>& features) {
  data::Image part{.height = region.bottom - region.top,
                   .width = region.right - region.left,
                   .channels = 1,
                   .pixels = {}};
  for (int64_t y = region.top; y < region.bottom; ++y) {
    const auto row = image.pixels.begin() + y * image.width;
    part.pixels.insert(part.pixels.end(), row + region.left, row + region.right);
  }
  for (const uint8_t grey : data::resized(part, kRegionSide, kRegionSide).pixels) {
    features.push_back(static_cast<float>(grey) / 255.0F);
  }
  features.push_back(static_cast<float>(part.width) / static_cast<float>(image.width));
  features.push_back(static_cast<float>(part.height) / static_cast<float>(image.height));
  features.push_back(1);
}

at::Tensor feature_rows(const std::vector<float>& features) {
  return at::tensor(features, at::kDouble).reshape({-1, kRegionSide * kRegionSide + 3});
}

// The box of an object in the pixels of its picture as it was read.
Region region_of(const data::LabeledObject& object, const data::ImageData& pictures) {
  const data::ImageSize& size = pictures.sizes[static_cast<size_t>(object.image)];
  const auto side = [](double at, int64_t from, int64_t to) {
    const double scaled = at * static_cast<double>(to) / static_cast<double>(from);
    return std::clamp<int64_t>(std::lround(scaled), 0, to);
  };
  Region region{.left = side(object.x, size.width, pictures.width),
                .top = side(object.y, size.height, pictures.height),
                .right = side(object.x + object.width, size.width, pictures.width),
                .bottom = side(object.y + object.height, size.height, pictures.height)};
  region.left = std::min(region.left, pictures.width - 1);
  region.top = std::min(region.top, pictures.height - 1);
  region.right = std::max(region.right, region.left + 1);
  region.bottom = std::max(region.bottom, region.top + 1);
  return region;
}

// (features, categories)
at::Tensor fitted(const data::ObjectData& train) {
  std::vector<float> features;
  std::vector<int64_t> categories;
  for (const data::LabeledObject& object : train.objects) {
    if (object.crowd || std::ssize(categories) == kMostBoxes) continue;
    add_region_features(grey_picture(train.pictures, object.image),
                        region_of(object, train.pictures), features);
    categories.push_back(object.category);
  }
  const at::Tensor x = feature_rows(features);
  const at::Tensor y =
      at::one_hot(at::tensor(categories, at::kLong), std::ssize(train.categories)).to(at::kDouble);
  const at::Tensor penalty =
      1e-3 * static_cast<double>(x.size(0)) * at::eye(x.size(1), x.options());
  return at::linalg_solve(x.t().matmul(x) + penalty, x.t().matmul(y));
}

}  // namespace

std::vector<metrics::FoundObject> region_baseline(const data::ObjectData& train,
                                                  const data::ObjectData& measured) {
  const at::NoGradGuard no_grad;
  const Foreground foreground = foreground_of(train.pictures);
  const at::Tensor weights = fitted(train);
  const data::ImageData& pictures = measured.pictures;
  std::vector<metrics::FoundObject> found;
  for (int64_t i = 0; i < pictures.count(); ++i) {
    const data::Image image = grey_picture(pictures, i);
    const std::vector<Region> regions = regions_of(image, foreground);
    std::vector<float> features;
    for (const Region& region : regions) add_region_features(image, region, features);
    const auto [scores, categories] = feature_rows(features).matmul(weights).max(1);
    const data::ImageSize& size = pictures.sizes[static_cast<size_t>(i)];
    const double across = static_cast<double>(size.width) / static_cast<double>(image.width);
    const double down = static_cast<double>(size.height) / static_cast<double>(image.height);
    for (size_t r = 0; r < regions.size(); ++r) {
      const Region& region = regions[r];
      const auto row = static_cast<int64_t>(r);
      found.push_back({.image = i,
                       .category = categories[row].item<int64_t>(),
                       .box = {.x = static_cast<double>(region.left) * across,
                               .y = static_cast<double>(region.top) * down,
                               .width = static_cast<double>(region.right - region.left) * across,
                               .height = static_cast<double>(region.bottom - region.top) * down},
                       .score = scores[row].item<double>()});
    }
  }
  return found;
}

}  // namespace heed::tasks
