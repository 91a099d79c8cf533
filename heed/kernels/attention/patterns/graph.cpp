#include "heed/kernels/attention/patterns/graph.h"

#include <algorithm>
#include <utility>

namespace heed::kernels {
namespace {

class GraphPattern final : public Pattern, public ListsByKey {
 public:
  GraphPattern(const SparseRows& rows, std::shared_ptr<const void> owner, KeptColumns kept)
      : rows_(rows), owner_(std::move(owner)), kept_(std::move(kept)) {}

  TransposedPtr columns(int64_t queries, int64_t keys, const Workers& workers) const override {
    if (kept_) return kept_(queries, keys, workers);
    return std::make_shared<TransposedRows>(transpose_rows(rows_, queries, keys, workers));
  }

  const SparseRows* sparse_rows() const override { return &rows_; }

  Cover cover(int64_t, int64_t, Range queries, Range keys) const override {
    bool any = false;
    bool all = true;
    for (int64_t i = queries.begin; i < queries.end; ++i) {
      const int64_t found = edges(i, keys).size();
      any |= found > 0;
      all &= found == keys.size();
      if (any && !all) return Cover::kPartial;
    }
    return any ? Cover::kFull : Cover::kEmpty;
  }

  void allowed(int64_t, int64_t, Range queries, Range keys, uint64_t* columns) const override {
    std::fill_n(columns, keys.size(), 0);
    for (int64_t i = queries.begin; i < queries.end; ++i) {
      const Range found = edges(i, keys);
      for (int64_t e = found.begin; e < found.end; ++e) {
        columns[rows_.columns[e] - keys.begin] |= uint64_t{1} << (i - queries.begin);
      }
    }
  }

 private:
  // The edges of query i that lead into `keys`.
  Range edges(int64_t i, Range keys) const {
    const int64_t* begin = rows_.columns + rows_.offsets[i];
    const int64_t* end = rows_.columns + rows_.offsets[i + 1];
    const int64_t* first = std::lower_bound(begin, end, keys.begin);
    return {first - rows_.columns, std::lower_bound(first, end, keys.end) - rows_.columns};
  }

  SparseRows rows_;
  std::shared_ptr<const void> owner_;
  KeptColumns kept_;
};

}  // namespace

PatternPtr graph_pattern(const SparseRows& rows, std::shared_ptr<const void> owner,
                         KeptColumns kept) {
  return std::make_shared<GraphPattern>(rows, std::move(owner), std::move(kept));
}

}  // namespace heed::kernels
