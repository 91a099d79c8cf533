#include "heed/models/parts/image_codes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "heed/base/error.h"

namespace heed::models {
namespace {

using Patch = std::vector<uint8_t>;

// GCC 12 warns of what std::less of vectors of bytes calls.
struct PatchOrder {
  bool operator()(const Patch& one, const Patch& other) const {
    return std::lexicographical_compare(one.begin(), one.end(), other.begin(), other.end(),
                                        [](uint8_t a, uint8_t b) { return a < b; });
  }
};

constexpr int64_t kMostPatches = 200'000;  // that k-means looks at, spread over the pictures
constexpr int kLloydSteps = 25;

std::array<uint8_t, 256> nearest_levels(int64_t levels) {
  std::array<uint8_t, 256> table{};
  for (size_t value = 0; value < table.size(); ++value) {
    table[value] = value_of_level(level_of_value(static_cast<uint8_t>(value), levels), levels);
  }
  return table;
}

// Calls use(patch) for each patch of a picture, row by row; the vector is the same each time.
template <typename Use>
void for_each_patch(const ImageCodeOptions& o, const uint8_t* picture,
                    const std::array<uint8_t, 256>& table, const Use& use) {
  Patch patch(static_cast<size_t>(o.values()));
  if (o.patch_size == 1) {
    for (int64_t i = 0; i < o.size(); ++i) {
      patch[0] = table[picture[i]];
      use(patch);
    }
    return;
  }
  const int64_t side = o.patch_size;
  for (int64_t row = 0; row < o.rows(); ++row) {
    for (int64_t column = 0; column < o.columns(); ++column) {
      auto to = patch.begin();
      for (int64_t y = row * side; y < (row + 1) * side; ++y) {
        for (int64_t x = column * side; x < (column + 1) * side; ++x) {
          const bool inside = y < o.height && x < o.width;
          for (int64_t c = 0; c < o.channels; ++c) {
            *to++ = inside ? table[picture[(y * o.width + x) * o.channels + c]] : uint8_t{0};
          }
        }
      }
      use(patch);
    }
  }
}

// Squared distances of a patch to all entries. Those of whole numbers are exact: a patch has at
// most 256 values, and 256 · 255² has no more digits than a float.
class Nearest {
 public:
  struct Found {
    size_t entry;
    float distance;
  };

  // `across`: (values, entries).
  Nearest(const std::vector<float>& across, size_t entries)
      : across_(across), distances_(entries) {}

  template <typename Value>
  Found find(const std::vector<Value>& patch) {
    std::fill(distances_.begin(), distances_.end(), 0.0F);
    const float* column = across_.data();
    for (const Value each : patch) {
      const auto value = static_cast<float>(each);
      for (size_t i = 0; i < distances_.size(); ++i) {
        const float away = column[i] - value;
        distances_[i] += away * away;
      }
      column += distances_.size();
    }
    const auto best = std::min_element(distances_.begin(), distances_.end());
    return {static_cast<size_t>(best - distances_.begin()), *best};
  }

 private:
  const std::vector<float>& across_;
  std::vector<float> distances_;
};

struct CountedPatches {
  std::vector<Patch> patches;  // that differ, in order
  std::vector<double> counts;
};

CountedPatches some_patches(const ImageCodeOptions& o, std::span<const uint8_t> pixels) {
  const int64_t pictures = std::ssize(pixels) / o.size();
  const int64_t step = std::max<int64_t>(1, pictures * o.count() / kMostPatches);
  const auto table = nearest_levels(o.levels);
  std::map<Patch, int64_t, PatchOrder> counted;
  for (int64_t i = 0; i < pictures; i += step) {
    for_each_patch(o, pixels.data() + i * o.size(), table,
                   [&](const Patch& patch) { ++counted[patch]; });
  }
  CountedPatches all;
  for (const auto& [patch, count] : counted) {
    all.patches.push_back(patch);
    all.counts.push_back(static_cast<double>(count));
  }
  return all;
}

// k-means++: the commonest patch, then patches drawn by how often they are there and how far they
// are from all that were taken.
std::vector<std::vector<double>> first_means(const CountedPatches& all, size_t size) {
  std::mt19937_64 random(1);
  std::vector<double> away(all.patches.size(), std::numeric_limits<double>::infinity());
  size_t next = static_cast<size_t>(std::max_element(all.counts.begin(), all.counts.end()) -
                                    all.counts.begin());
  std::vector<std::vector<double>> means;
  while (true) {
    const Patch& taken = all.patches[next];
    means.emplace_back(taken.begin(), taken.end());
    if (means.size() == size) return means;
    double sum = 0;
    for (size_t i = 0; i < all.patches.size(); ++i) {
      double distance = 0;
      for (size_t j = 0; j < taken.size(); ++j) {
        const double difference = double{1} * taken[j] - all.patches[i][j];
        distance += difference * difference;
      }
      away[i] = std::min(away[i], distance);
      sum += away[i] * all.counts[i];
    }
    // In [0, 1), of 53 bits: what std::uniform_real_distribution draws is not the same everywhere.
    double left = std::ldexp(static_cast<double>(random() >> 11), -53) * sum;
    for (size_t i = 0; i < all.patches.size(); ++i) {
      const double weight = away[i] * all.counts[i];
      if (weight <= 0) continue;
      next = i;
      if (left < weight) break;
      left -= weight;
    }
  }
}

std::vector<float> across_of(const std::vector<std::vector<double>>& means) {
  std::vector<float> across;
  for (size_t j = 0; j < means.front().size(); ++j) {
    for (const auto& mean : means) across.push_back(static_cast<float>(mean[j]));
  }
  return across;
}

// One step of Lloyd's: each mean becomes that of the patches that are nearest to it. Whether any of
// them changed.
bool lloyd_step(const CountedPatches& all, std::vector<std::vector<double>>& means) {
  const std::vector<float> across = across_of(means);
  Nearest nearest(across, means.size());
  std::vector<std::vector<double>> sums(means.size(), std::vector<double>(means.front().size()));
  std::vector<double> counts(means.size());
  for (size_t i = 0; i < all.patches.size(); ++i) {
    const size_t entry = nearest.find(all.patches[i]).entry;
    counts[entry] += all.counts[i];
    for (size_t j = 0; j < sums[entry].size(); ++j) {
      sums[entry][j] += all.counts[i] * all.patches[i][j];
    }
  }
  bool changed = false;
  for (size_t entry = 0; entry < means.size(); ++entry) {
    if (counts[entry] == 0) continue;  // one that nothing is nearest to stays
    for (double& sum : sums[entry]) sum /= counts[entry];
    changed = changed || sums[entry] != means[entry];
    means[entry] = std::move(sums[entry]);
  }
  return changed;
}

std::vector<uint8_t> one_behind_the_other(const std::set<Patch, PatchOrder>& patches) {
  std::vector<uint8_t> codebook;
  for (const Patch& patch : patches) codebook.insert(codebook.end(), patch.begin(), patch.end());
  return codebook;
}

}  // namespace

uint8_t value_of_level(int64_t level, int64_t levels) {
  return static_cast<uint8_t>((2 * 255 * level + levels - 1) / (2 * (levels - 1)));
}

int64_t level_of_value(uint8_t value, int64_t levels) {
  return (2 * value * (levels - 1) + 255) / (2 * 255);
}

std::vector<uint8_t> whole_codebook(const ImageCodeOptions& options, int64_t most) {
  int64_t count = 1;
  for (int64_t i = 0; i < options.values(); ++i) {
    if (count > most / options.levels) return {};
    count *= options.levels;
  }
  std::vector<uint8_t> codebook;
  for (int64_t code = 0; code < count; ++code) {
    for (int64_t place = count / options.levels; place > 0; place /= options.levels) {
      codebook.push_back(value_of_level(code / place % options.levels, options.levels));
    }
  }
  return codebook;
}

std::vector<uint8_t> learnt_codebook(const ImageCodeOptions& options,
                                     std::span<const uint8_t> pixels, int64_t most) {
  std::vector<uint8_t> whole = whole_codebook(options, most);
  if (!whole.empty()) return whole;
  check_usage(!pixels.empty(), "a codebook: expected pictures to learn it from, got none");
  const CountedPatches all = some_patches(options, pixels);
  if (std::ssize(all.patches) <= most) {
    return one_behind_the_other({all.patches.begin(), all.patches.end()});
  }
  auto means = first_means(all, static_cast<size_t>(most));
  for (int step = 0; step < kLloydSteps && lloyd_step(all, means); ++step) {
  }
  const auto table = nearest_levels(options.levels);
  std::set<Patch, PatchOrder> rounded;  // two may be the same then
  for (const auto& mean : means) {
    Patch patch;
    for (const double value : mean) patch.push_back(table[static_cast<size_t>(std::lround(value))]);
    rounded.insert(std::move(patch));
  }
  return one_behind_the_other(rounded);
}

ImageCodes::ImageCodes(const ImageCodeOptions& options, std::vector<uint8_t> codebook)
    : options_(options), codebook_(std::move(codebook)) {
  const auto values = static_cast<size_t>(options.values());
  check_usage(!codebook_.empty() && codebook_.size() % values == 0,
              "a codebook: expected entries of ", values, " values, got ", codebook_.size(),
              " values in all");
  size_ = std::ssize(codebook_) / options.values();
  check_usage(size_ <= 65'536, "a codebook: expected at most 65536 entries, got ", size_);
  across_.reserve(codebook_.size());
  for (size_t j = 0; j < values; ++j) {
    for (size_t i = j; i < codebook_.size(); i += values) {
      across_.push_back(static_cast<float>(codebook_[i]));
    }
  }
}

bool ImageCodes::is_exact() const { return whole_codebook(options_, size_) == codebook_; }

std::vector<uint16_t> ImageCodes::encode(std::span<const uint8_t> pixels) const {
  const int64_t size = options_.size();
  check_usage(std::ssize(pixels) % size == 0, "pictures as codes: expected pictures of ", size,
              " values, got ", pixels.size(), " values in all");
  const auto table = nearest_levels(options_.levels);
  std::vector<uint16_t> codes;
  codes.reserve(static_cast<size_t>(std::ssize(pixels) / size * options_.count()));
  Nearest nearest(across_, static_cast<size_t>(size_));
  // Most patches are as the one before: the empty ground.
  Patch before;
  uint16_t code = 0;
  for (const uint8_t* picture = pixels.data(); picture != pixels.data() + pixels.size();
       picture += size) {
    for_each_patch(options_, picture, table, [&](const Patch& patch) {
      if (patch != before) {
        code = static_cast<uint16_t>(nearest.find(patch).entry);
        before = patch;
      }
      codes.push_back(code);
    });
  }
  return codes;
}

std::vector<uint8_t> ImageCodes::decode(std::span<const int64_t> codes) const {
  const ImageCodeOptions& o = options_;
  check_usage(std::ssize(codes) == o.count(), "a picture's codes: expected ", o.count(), ", got ",
              codes.size());
  std::vector<uint8_t> pixels(static_cast<size_t>(o.size()));
  for (int64_t i = 0; i < o.count(); ++i) {
    const int64_t code = codes[static_cast<size_t>(i)];
    check_usage(code >= 0 && code < size_, "a picture's codes: expected them from 0 to ", size_ - 1,
                ", got ", code);
    const uint8_t* from = codebook_.data() + code * o.values();
    if (o.patch_size == 1) {
      pixels[static_cast<size_t>(i)] = *from;
      continue;
    }
    const int64_t top = i / o.columns() * o.patch_size;
    const int64_t left = i % o.columns() * o.patch_size;
    for (int64_t y = top; y < top + o.patch_size; ++y) {
      for (int64_t x = left; x < left + o.patch_size; ++x, from += o.channels) {
        if (y >= o.height || x >= o.width) continue;
        std::copy(from, from + o.channels, pixels.data() + (y * o.width + x) * o.channels);
      }
    }
  }
  return pixels;
}

}  // namespace heed::models
