#include "heed/kernels/attention/patterns/lengths.h"

#include <utility>

#include "heed/kernels/attention/patterns/bits.h"

namespace heed::kernels {
namespace {

class PaddedPattern final : public Pattern {
 public:
  explicit PaddedPattern(PaddedLengths lengths) : lengths_(std::move(lengths)) {}

  bool varies_by_batch() const override { return true; }

  Cover cover(int64_t batch, int64_t, Range queries, Range keys) const override {
    const int64_t there = lengths_.keys[batch];
    const int64_t rows = rows_of(batch, queries);
    if (keys.begin >= there || queries.begin >= rows) return Cover::kEmpty;
    return keys.end <= there && queries.end <= rows ? Cover::kFull : Cover::kPartial;
  }

  void allowed(int64_t batch, int64_t, Range queries, Range keys,
               uint64_t* columns) const override {
    const uint64_t rows = bits_between(0, rows_of(batch, queries) - queries.begin, queries.size());
    for (int64_t j = keys.begin; j < keys.end; ++j) {
      columns[j - keys.begin] = j < lengths_.keys[batch] ? rows : 0;
    }
  }

 private:
  int64_t rows_of(int64_t batch, Range queries) const {
    return lengths_.queries.empty() ? queries.end : lengths_.queries[batch];
  }

  PaddedLengths lengths_;
};

class PackedPattern final : public Pattern {
 public:
  explicit PackedPattern(PackedOffsets offsets) : offsets_(std::move(offsets)) {}

  Cover cover(int64_t, int64_t, Range queries, Range keys) const override {
    int64_t s = first_ending_after(queries.begin, offsets_.queries);
    const int64_t other = first_ending_after(keys.begin, offsets_.keys);
    if (s == other && s < count() && starts(offsets_.queries, s) <= queries.begin &&
        queries.end <= ends(offsets_.queries, s) && starts(offsets_.keys, s) <= keys.begin &&
        keys.end <= ends(offsets_.keys, s)) {
      return Cover::kFull;
    }
    // The later of the two is the first sequence that can be in both ranges.
    for (s = std::max(s, other); s < count(); ++s) {
      if (starts(offsets_.queries, s) >= queries.end || starts(offsets_.keys, s) >= keys.end) break;
      const bool has_both = starts(offsets_.queries, s) < ends(offsets_.queries, s) &&
                            starts(offsets_.keys, s) < ends(offsets_.keys, s);
      if (has_both) return Cover::kPartial;
    }
    return Cover::kEmpty;
  }

  void allowed(int64_t, int64_t, Range queries, Range keys, uint64_t* columns) const override {
    int64_t s = first_ending_after(keys.begin, offsets_.keys);
    for (int64_t j = keys.begin; j < keys.end; ++j) {
      while (s < count() && ends(offsets_.keys, s) <= j) ++s;
      const bool inside = s < count() && starts(offsets_.keys, s) <= j;
      columns[j - keys.begin] =
          inside ? bits_between(starts(offsets_.queries, s) - queries.begin,
                                ends(offsets_.queries, s) - queries.begin, queries.size())
                 : 0;
    }
  }

 private:
  int64_t count() const { return static_cast<int64_t>(offsets_.keys.size()) - 1; }
  static int64_t starts(const std::vector<int64_t>& offsets, int64_t s) { return offsets[s]; }
  static int64_t ends(const std::vector<int64_t>& offsets, int64_t s) { return offsets[s + 1]; }

  // The first sequence with an end behind `place`; count() where there is none.
  static int64_t first_ending_after(int64_t place, const std::vector<int64_t>& offsets) {
    return std::upper_bound(offsets.begin() + 1, offsets.end(), place) - (offsets.begin() + 1);
  }

  PackedOffsets offsets_;
};

}  // namespace

PatternPtr padded_pattern(PaddedLengths lengths) {
  return std::make_shared<PaddedPattern>(std::move(lengths));
}

PatternPtr packed_pattern(PackedOffsets offsets) {
  return std::make_shared<PackedPattern>(std::move(offsets));
}

}  // namespace heed::kernels
