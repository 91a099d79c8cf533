#include "heed/kernels/attention/patterns/tokens.h"

#include <utility>

#include "heed/kernels/attention/patterns/bits.h"

namespace heed::kernels {
namespace {

class GlobalTokensPattern final : public Pattern {
 public:
  GlobalTokensPattern(int64_t count, int64_t offset) : count_(count), offset_(offset) {}

  Cover cover(int64_t, int64_t, Range queries, Range keys) const override {
    if (keys.end <= count_ || queries.end + offset_ <= count_) return Cover::kFull;
    const bool empty = keys.begin >= count_ && queries.begin + offset_ >= count_;
    return empty ? Cover::kEmpty : Cover::kPartial;
  }

  void allowed(int64_t, int64_t, Range queries, Range keys, uint64_t* columns) const override {
    const uint64_t all = low_bits(queries.size());
    const uint64_t global = bits_between(0, count_ - offset_ - queries.begin, queries.size());
    for (int64_t j = 0; j < keys.size(); ++j) columns[j] = keys.begin + j < count_ ? all : global;
  }

 private:
  int64_t count_;
  int64_t offset_;
};

class PrefixLmPattern final : public Pattern {
 public:
  PrefixLmPattern(std::vector<int64_t> lengths, int64_t offset)
      : lengths_(std::move(lengths)), offset_(offset) {}

  bool varies_by_batch() const override { return lengths_.size() > 1; }

  Cover cover(int64_t batch, int64_t, Range queries, Range keys) const override {
    const int64_t length = length_of(batch);
    if (keys.end <= length || keys.end - 1 <= queries.begin + offset_) return Cover::kFull;
    const bool empty = keys.begin >= length && keys.begin > queries.end - 1 + offset_;
    return empty ? Cover::kEmpty : Cover::kPartial;
  }

  void allowed(int64_t batch, int64_t, Range queries, Range keys,
               uint64_t* columns) const override {
    const int64_t length = length_of(batch);
    for (int64_t j = keys.begin; j < keys.end; ++j) {
      const int64_t first = j < length ? 0 : j - offset_ - queries.begin;
      columns[j - keys.begin] = bits_between(first, queries.size(), queries.size());
    }
  }

 private:
  int64_t length_of(int64_t batch) const { return lengths_[lengths_.size() > 1 ? batch : 0]; }

  std::vector<int64_t> lengths_;
  int64_t offset_;
};

}  // namespace

PatternPtr global_tokens_pattern(int64_t count, int64_t query_offset) {
  return std::make_shared<GlobalTokensPattern>(count, query_offset);
}

PatternPtr prefix_lm_pattern(std::vector<int64_t> lengths, int64_t query_offset) {
  return std::make_shared<PrefixLmPattern>(std::move(lengths), query_offset);
}

}  // namespace heed::kernels
