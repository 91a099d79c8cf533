// The transpose of SparseRows: for each key the queries that see it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/base/workers.h"
#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

// The transposed lists: the queries that see key j are rows[offsets[j] .. offsets[j + 1]), by
// edges of the same place.
struct SparseColumns {
  const int64_t* offsets = nullptr;
  const uint32_t* rows = nullptr;
  const uint32_t* edges = nullptr;
};

struct TransposedRows {
  std::vector<int64_t> offsets;       // (Nk + 1)
  std::unique_ptr<uint32_t[]> rows;   // the query of each entry
  std::unique_ptr<uint32_t[]> edges;  // and its place in SparseRows::columns, ascending in a key

  SparseColumns view() const { return {offsets.data(), rows.get(), edges.get()}; }
};

using TransposedPtr = std::shared_ptr<const TransposedRows>;

// A pattern with sparse_rows() that can give their transpose, too, and may keep it from call to
// call, is one of these as well.
class ListsByKey {
 public:
  virtual ~ListsByKey() = default;
  virtual TransposedPtr columns(int64_t queries, int64_t keys, const Workers& workers) const = 0;
};

// By counting; queries and edges must be fewer than 2^32.
TransposedRows transpose_rows(const SparseRows& rows, int64_t queries, int64_t keys,
                              const Workers& workers);

}  // namespace heed::kernels
