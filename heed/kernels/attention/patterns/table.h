// Patterns from a table of booleans: one for each block of pairs, or one for each pair.
#pragma once

#include <memory>

#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

// data[b · batch + h · head + i · row + j · column] says whether it is allowed: 0 is no, every
// other byte yes. A stride of 0 repeats.
struct Table {
  const uint8_t* data = nullptr;
  int64_t batch = 0;
  int64_t head = 0;
  int64_t row = 0;
  int64_t column = 1;
};

// One entry for each block of query_block × key_block pairs. The table must stay as it is while
// the pattern is used; `owner` keeps it alive.
struct BlockTable {
  Table table;
  int64_t query_block = 64;
  int64_t key_block = 64;
  std::shared_ptr<const void> owner;
};
PatternPtr block_sparse_pattern(BlockTable blocks);

// One entry for each pair; the table is copied, as bits.
struct MaskSizes {
  int64_t batch = 1;  // of what differs: 1 where all are the same
  int64_t heads = 1;
  int64_t queries = 1;  // 1 where all queries have the same keys
  int64_t keys = 0;
};
PatternPtr mask_pattern(const Table& table, const MaskSizes& sizes);

}  // namespace heed::kernels
