#include "heed/kernels/attention/patterns/joined_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

namespace heed::kernels {
namespace {

constexpr int64_t kChunk = 128;  // keys whose bits of the second pattern are held at a time

class Joined : public Pattern {
 public:
  Joined(PatternPtr left, PatternPtr right) : left_(std::move(left)), right_(std::move(right)) {}

  bool varies_by_batch() const override {
    return left_->varies_by_batch() || right_->varies_by_batch();
  }
  bool varies_by_head() const override {
    return left_->varies_by_head() || right_->varies_by_head();
  }

 protected:
  template <typename Combine>
  void combine(int64_t batch, int64_t head, Range queries, Range keys, uint64_t* columns,
               Combine combined) const {
    left_->allowed(batch, head, queries, keys, columns);
    std::array<uint64_t, kChunk> other;
    for (int64_t begin = keys.begin; begin < keys.end; begin += kChunk) {
      const Range chunk{begin, std::min(begin + kChunk, keys.end)};
      right_->allowed(batch, head, queries, chunk, other.data());
      uint64_t* mine = columns + (begin - keys.begin);
      for (int64_t j = 0; j < chunk.size(); ++j) mine[j] = combined(mine[j], other[j]);
    }
  }

  PatternPtr left_;
  PatternPtr right_;
};

class Both final : public Joined {
 public:
  using Joined::Joined;

  Cover cover(int64_t batch, int64_t head, Range queries, Range keys) const override {
    const Cover left = left_->cover(batch, head, queries, keys);
    if (left == Cover::kEmpty) return left;
    const Cover right = right_->cover(batch, head, queries, keys);
    if (left == Cover::kFull) return right;
    return right == Cover::kFull ? left : right;
  }

  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    combine(batch, head, queries, keys, columns, [](uint64_t a, uint64_t b) { return a & b; });
  }
};

class Either final : public Joined {
 public:
  using Joined::Joined;

  Cover cover(int64_t batch, int64_t head, Range queries, Range keys) const override {
    const Cover left = left_->cover(batch, head, queries, keys);
    if (left == Cover::kFull) return left;
    const Cover right = right_->cover(batch, head, queries, keys);
    if (left == Cover::kEmpty) return right;
    return right == Cover::kEmpty ? left : right;
  }

  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    combine(batch, head, queries, keys, columns, [](uint64_t a, uint64_t b) { return a | b; });
  }
};

}  // namespace

PatternPtr both(PatternPtr left, PatternPtr right) {
  if (!left) return right;
  if (!right) return left;
  return std::make_shared<Both>(std::move(left), std::move(right));
}

PatternPtr either(PatternPtr left, PatternPtr right) {
  if (!left || !right) return nullptr;
  return std::make_shared<Either>(std::move(left), std::move(right));
}

}  // namespace heed::kernels
