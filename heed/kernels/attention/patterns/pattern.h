// Which keys each query may attend to, as the kernels see it: a class that says of a rectangle of
// (query, key) pairs whether it is empty, full or mixed, and for a mixed one gives the bits.
// Time and memory then scale with the pattern: an empty rectangle is never touched, a full one has
// no test inside.
//
// Adding a pattern is one subclass in one file; see docs/adding_a_pattern.md.
#pragma once

#include <cstdint>
#include <memory>

namespace heed::kernels {

// Half open: begin <= index < end.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

enum class Cover : uint8_t { kEmpty, kPartial, kFull };

// Keys of query i in ascending order: columns[offsets[i] .. offsets[i + 1]).
struct SparseRows {
  const int64_t* offsets = nullptr;  // (Nq + 1)
  const int64_t* columns = nullptr;  // (offsets[Nq])
};

class Pattern {
 public:
  virtual ~Pattern() = default;

  // Whether all, none or some pairs of the rectangle are allowed. kPartial is always a right
  // answer; kEmpty and kFull must be exact. The rectangle is not empty and lies within Nq × Nk.
  virtual Cover cover(int64_t batch, int64_t head, Range queries, Range keys) const = 0;

  // The bits of a rectangle of at most 64 queries: bit i of columns[j] says whether query
  // queries.begin + i may attend to key keys.begin + j. Bits from queries.size() on are zero.
  virtual void allowed(int64_t batch, int64_t head, Range queries, Range keys,
                       uint64_t* columns) const = 0;

  // Whether the answers depend on the batch or on the (query) head; where not, block lists are
  // built once and shared.
  virtual bool varies_by_batch() const { return false; }
  virtual bool varies_by_head() const { return false; }

  // Where the pattern is known as short lists of keys (a graph), those lists, else null: kernels
  // then walk the lists instead of blocks. Same for all batches and heads.
  virtual const SparseRows* sparse_rows() const { return nullptr; }
};

using PatternPtr = std::shared_ptr<const Pattern>;  // null means full

}  // namespace heed::kernels
