// What the tests of the tile engine share.
#pragma once

#include <limits>

#include "heed/kernels/attention/testing/engine_test.h"

namespace heed::kernels::testing {

inline constexpr EngineFunctions kTiles = {tile_forward, tile_backward};
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr DataType kTypes[] = {DataType::kFloat32, DataType::kBFloat16};

inline Shape grouped_shape(int64_t queries, int64_t keys, int64_t size, int64_t value_size) {
  return {.batch = 2,
          .heads = 4,
          .key_heads = 2,
          .queries = queries,
          .keys = keys,
          .size = size,
          .value_size = value_size};
}

// Allowed where a hash of all four indices says so; some rows see nothing.
class RandomPattern final : public Pattern {
 public:
  explicit RandomPattern(uint32_t dense = 5) : dense_(dense) {}
  Cover cover(int64_t, int64_t, Range, Range) const override { return Cover::kPartial; }
  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    for (int64_t j = keys.begin; j < keys.end; ++j) {
      uint64_t bits = 0;
      for (int64_t i = queries.begin; i < queries.end; ++i) {
        if (is_allowed(batch, head, i, j)) bits |= uint64_t{1} << (i - queries.begin);
      }
      columns[j - keys.begin] = bits;
    }
  }
  bool varies_by_batch() const override { return true; }
  bool varies_by_head() const override { return true; }

  bool is_allowed(int64_t batch, int64_t head, int64_t i, int64_t j) const {
    if (i % 11 == 3) return false;
    auto x = static_cast<uint32_t>(((batch * 7 + head) * 1009 + i) * 10007 + j);
    x *= 0x9e3779b1u;
    x ^= x >> 15;
    x *= 0x85ebca77u;
    return (x >> 16) % 8 < dense_;
  }

 private:
  uint32_t dense_;
};

}  // namespace heed::kernels::testing
