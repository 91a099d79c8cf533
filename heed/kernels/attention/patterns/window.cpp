#include "heed/kernels/attention/patterns/window.h"

#include <limits>

#include "heed/kernels/attention/patterns/bits.h"

namespace heed::kernels {
namespace {

constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;

int64_t reach(int64_t steps, int64_t dilation) {
  return steps < 0 || steps > kFar / dilation ? kFar : steps * dilation;
}

int64_t floor_multiple(int64_t value, int64_t of) {
  const int64_t rest = value % of;
  return value - (rest < 0 ? rest + of : rest);
}

class WindowPattern : public Pattern {
 public:
  explicit WindowPattern(const Window& window)
      : left_(reach(window.left, window.dilation)),
        right_(reach(window.right, window.dilation)),
        offset_(window.query_offset) {}

  Cover cover(int64_t, int64_t, Range queries, Range keys) const override {
    const auto [lowest, highest] = distances(queries, keys);
    if (lowest >= -left_ && highest <= right_) return Cover::kFull;
    return highest < -left_ || lowest > right_ ? Cover::kEmpty : Cover::kPartial;
  }

  void allowed(int64_t, int64_t, Range queries, Range keys, uint64_t* columns) const override {
    // −left <= j − p(i) <= right solved for i, counted from queries.begin.
    const int64_t start = keys.begin - offset_ - queries.begin;
    for (int64_t j = 0; j < keys.size(); ++j) {
      columns[j] = bits_between(start + j - right_, start + j + left_ + 1, queries.size());
    }
  }

 protected:
  struct Distances {
    int64_t lowest;
    int64_t highest;
  };
  // Every distance between these two occurs in the rectangle.
  Distances distances(Range queries, Range keys) const {
    return {keys.begin - (queries.end - 1 + offset_), keys.end - 1 - (queries.begin + offset_)};
  }

  int64_t left_;
  int64_t right_;
  int64_t offset_;
};

class DilatedPattern final : public WindowPattern {
 public:
  explicit DilatedPattern(const Window& window)
      : WindowPattern(window), dilation_(window.dilation) {
    for (int64_t i = 0; i < 64; i += dilation_) every_ |= uint64_t{1} << i;
  }

  Cover cover(int64_t, int64_t, Range queries, Range keys) const override {
    const auto [lowest, highest] = distances(queries, keys);
    const int64_t first = std::max(lowest, -left_);
    const int64_t last = std::min(highest, right_);
    if (first > last || floor_multiple(last, dilation_) < first) return Cover::kEmpty;
    return lowest == highest ? Cover::kFull : Cover::kPartial;
  }

  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    WindowPattern::allowed(batch, head, queries, keys, columns);
    for (int64_t j = 0; j < keys.size(); ++j) {
      // The first query whose position is a multiple of dilation away from this key.
      const int64_t distance = keys.begin + j - (queries.begin + offset_);
      const int64_t first = distance - floor_multiple(distance, dilation_);
      columns[j] &= first < 64 ? every_ << first : 0;
    }
  }

 private:
  int64_t dilation_;
  uint64_t every_ = 0;  // bits 0, dilation, 2 · dilation, ...
};

}  // namespace

PatternPtr window_pattern(const Window& window) {
  if (window.dilation == 1) return std::make_shared<WindowPattern>(window);
  return std::make_shared<DilatedPattern>(window);
}

}  // namespace heed::kernels
