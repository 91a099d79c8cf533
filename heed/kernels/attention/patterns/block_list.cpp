#include "heed/kernels/attention/patterns/block_list.h"

#include <algorithm>

#include "heed/kernels/arithmetic.h"

namespace heed::kernels {
namespace {

struct KeyAxis {
  const Pattern* pattern;
  int64_t batch;
  int64_t head;
  Range queries;
  int64_t keys;
  int64_t size;
};

// Blocks first … end of the axis.
void list_blocks(const KeyAxis& axis, int64_t first, int64_t end, std::vector<Block>& blocks) {
  const Range range = {first * axis.size, std::min(end * axis.size, axis.keys)};
  const Cover cover = axis.pattern == nullptr
                          ? Cover::kFull
                          : axis.pattern->cover(axis.batch, axis.head, axis.queries, range);
  if (cover == Cover::kEmpty) return;
  if (cover == Cover::kFull) {
    for (int64_t i = first; i < end; ++i) blocks.push_back({i, true});
  } else if (end - first == 1) {
    blocks.push_back({first, false});
  } else {
    const int64_t middle = first + (end - first) / 2;
    list_blocks(axis, first, middle, blocks);
    list_blocks(axis, middle, end, blocks);
  }
}

}  // namespace

void list_key_blocks(const Pattern* pattern, int64_t batch, int64_t head, Range queries,
                     int64_t keys, int64_t size, std::vector<Block>& blocks) {
  blocks.clear();
  if (keys == 0 || queries.size() == 0) return;
  list_blocks({pattern, batch, head, queries, keys, size}, 0, div_up(keys, size), blocks);
}

QueryBlockPlan::QueryBlockPlan(const Pattern* pattern, int64_t batches, int64_t heads,
                               int64_t queries, int64_t query_size, int64_t keys, int64_t key_size)
    : is_full_(pattern == nullptr),
      query_blocks_(div_up(queries, query_size)),
      key_blocks_(div_up(keys, key_size)) {
  if (is_full_) return;
  const int64_t distinct_heads = pattern->varies_by_head() ? heads : 1;
  const int64_t distinct_batches = pattern->varies_by_batch() ? batches : 1;
  head_step_ = distinct_heads > 1 ? 1 : 0;
  batch_step_ = distinct_batches > 1 ? distinct_heads : 0;
  starts_.reserve(static_cast<size_t>(distinct_batches * distinct_heads * key_blocks_ + 1));
  starts_.push_back(0);
  for (int64_t batch = 0; batch < distinct_batches; ++batch) {
    for (int64_t head = 0; head < distinct_heads; ++head) {
      add_slice(*pattern, batch, head, queries, query_size, keys, key_size);
    }
  }
}

void QueryBlockPlan::add_slice(const Pattern& pattern, int64_t batch, int64_t head, int64_t queries,
                               int64_t query_size, int64_t keys, int64_t key_size) {
  struct Cell {
    int64_t key_block;
    QueryBlock query_block;
  };
  std::vector<Cell> cells;
  std::vector<int64_t> counts(static_cast<size_t>(key_blocks_), 0);
  std::vector<Block> blocks;
  for (int64_t q = 0; q < query_blocks_; ++q) {
    list_key_blocks(&pattern, batch, head, block_range(q, query_size, queries), keys, key_size,
                    blocks);
    int32_t turn = 0;
    for (const Block& block : blocks) {
      cells.push_back({block.index, {static_cast<int32_t>(q), turn++, block.is_full}});
      ++counts[static_cast<size_t>(block.index)];
    }
  }
  std::vector<int64_t> at(static_cast<size_t>(key_blocks_));
  int64_t start = static_cast<int64_t>(entries_.size());
  for (size_t k = 0; k < counts.size(); ++k) {
    at[k] = start;
    start += counts[k];
    starts_.push_back(start);
  }
  entries_.resize(static_cast<size_t>(start));
  for (const Cell& cell : cells) {
    entries_[static_cast<size_t>(at[static_cast<size_t>(cell.key_block)]++)] = cell.query_block;
  }
}

QueryBlockPlan::List QueryBlockPlan::blocks(int64_t batch, int64_t head, int64_t key_block,
                                            std::vector<QueryBlock>& storage) const {
  if (is_full_) {
    storage.resize(static_cast<size_t>(query_blocks_));
    for (int64_t q = 0; q < query_blocks_; ++q) {
      storage[static_cast<size_t>(q)] = {static_cast<int32_t>(q), static_cast<int32_t>(key_block),
                                         true};
    }
    return {storage.data(), storage.data() + storage.size()};
  }
  const int64_t slice = batch * batch_step_ + head * head_step_;
  const int64_t at = slice * key_blocks_ + key_block;
  return {entries_.data() + starts_[static_cast<size_t>(at)],
          entries_.data() + starts_[static_cast<size_t>(at) + 1]};
}

}  // namespace heed::kernels
