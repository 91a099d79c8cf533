// Which blocks of keys a block of queries has to do with, from a Pattern.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

struct Block {
  int64_t index = 0;
  bool is_full = true;
};

// Block `index` of `size` along an axis of `length`.
inline Range block_range(int64_t index, int64_t size, int64_t length) {
  const int64_t begin = index * size;
  return {begin, begin + size < length ? begin + size : length};
}

// The blocks of `size` keys that some of `queries` may attend to, ascending, into `blocks`. Found
// by halving: a run of empty blocks costs one question. A null pattern is full.
void list_key_blocks(const Pattern* pattern, int64_t batch, int64_t head, Range queries,
                     int64_t keys, int64_t size, std::vector<Block>& blocks);

// A block of queries as a block of keys sees it.
struct QueryBlock {
  int32_t index = 0;
  // How many blocks of keys before this one have to do with the same queries: the order in which
  // their gradients are added.
  int32_t turn = 0;
  bool is_full = true;
};

// For every block of keys, the blocks of queries that have to do with it: list_key_blocks of all
// blocks of queries, turned round. Held once for all batches or heads where the pattern does not
// vary with them; a null pattern takes no memory.
class QueryBlockPlan {
 public:
  QueryBlockPlan(const Pattern* pattern, int64_t batches, int64_t heads, int64_t queries,
                 int64_t query_size, int64_t keys, int64_t key_size);

  // Ascending. `blocks` is only written where the pattern is null.
  struct List {
    const QueryBlock* begin;
    const QueryBlock* end;
  };
  List blocks(int64_t batch, int64_t head, int64_t key_block,
              std::vector<QueryBlock>& storage) const;

 private:
  void add_slice(const Pattern& pattern, int64_t batch, int64_t head, int64_t queries,
                 int64_t query_size, int64_t keys, int64_t key_size);

  bool is_full_;
  int64_t query_blocks_;
  int64_t key_blocks_;
  int64_t batch_step_ = 0;  // in slices
  int64_t head_step_ = 0;
  std::vector<int64_t> starts_;  // (slices · key blocks + 1)
  std::vector<QueryBlock> entries_;
};

}  // namespace heed::kernels
