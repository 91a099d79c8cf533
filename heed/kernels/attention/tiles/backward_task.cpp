#include "heed/kernels/attention/tiles/backward_task.h"

#include <algorithm>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/scratch.h"

namespace heed::kernels {

void BackwardTask::run(int64_t batch, int64_t key_head, int64_t key_block) {
  place_ = {batch, 0, key_block};
  key_head_ = key_head;
  key_range_ = block_range(key_block, kBackwardKeys, problem_.shape.keys);
  take_scratch();
  load_keys();
  const int64_t group = problem_.shape.heads / problem_.shape.key_heads;
  for (int64_t g = 0; g < group; ++g) run_head(key_head * group + g);
  finish_keys();
  if (setup_.brgemm() != nullptr) setup_.brgemm()->release();
}

void BackwardTask::take_scratch() {
  const Shape& s = problem_.shape;
  tile_ = {};
  tile_.type = problem_.type;
  tile_.score = &score_;
  tile_.dropout = &dropout_;
  tile_.brgemm = setup_.brgemm();
  tile_.dropout_factor = setup_.has_dropout() ? setup_.dropout_factor() : 1;
  tile_.size = static_cast<int>(s.size);
  tile_.value_size = static_cast<int>(s.value_size);
  tile_.padded_size = static_cast<int>(setup_.padded(s.size));
  tile_.padded_value_size = static_cast<int>(setup_.padded(s.value_size));
  keys_ = {};
  copies_ = problem_.type != DataType::kFloat32 || tile_.padded_size != tile_.size ||
            tile_.padded_value_size != tile_.value_size || setup_.score().is_pairwise;
  Scratch& scratch = thread_scratch();
  scratch.hand_out([&] {
    take_tile(scratch);
    take_keys(scratch);
    take_sums(scratch);
  });
  std::fill_n(keys_.grad_keys, kBackwardKeys * tile_.padded_size, 0.0F);
  std::fill_n(keys_.grad_values, kBackwardKeys * tile_.padded_value_size, 0.0F);
  if (keys_.grad_keys_t != nullptr) std::fill_n(keys_.grad_keys_t, kBackwardKeys * s.size, 0.0F);
  if (tile_.sums.key_terms != nullptr) std::fill_n(tile_.sums.key_terms, kBackwardKeys, 0.0F);
}

// What a tile works in.
void BackwardTask::take_tile(Scratch& scratch) {
  const int64_t tile = int64_t{kBackwardQueries} * setup_.panel();
  tile_.weights = scratch.take<float>(tile);
  tile_.grads = scratch.take<float>(tile);
  tile_.slopes = scratch.take<float>(tile);
  tile_.raws = scratch.take<float>(tile);
  tile_.score_grads = scratch.take<float>(kBackwardQueries * kBackwardKeys);
  tile_.grad_queries = scratch.take<float>(int64_t{kBackwardQueries} * tile_.padded_size);
  if (copies_) {
    query_copy_ = scratch.take<float>(int64_t{kBackwardQueries} * tile_.padded_size);
    grad_copy_ = scratch.take<float>(int64_t{kBackwardQueries} * tile_.padded_value_size);
  }
  if (setup_.score().is_pairwise) {
    prepared_queries_ = scratch.take<float>(int64_t{2} * kBackwardQueries * tile_.padded_size);
    tile_.lane_copies = scratch.take<float>(int64_t{3} * setup_.panel() * tile_.size);
  }
  if (setup_.uses_pairs()) {
    tile_.pairs = scratch.take<float>(tile + kBackwardQueries * kBackwardKeys / 2);
    tile_.columns = scratch.take<uint16_t>(tile);
    query_pairs_ = scratch.take<uint16_t>(int64_t{kBackwardQueries} * tile_.padded_size);
    grad_pairs_ = scratch.take<uint16_t>(int64_t{kBackwardQueries} * tile_.padded_value_size);
  }
}

// The block of keys: copies and their gradients.
void BackwardTask::take_keys(Scratch& scratch) {
  const int64_t keys = kBackwardKeys;
  keys_.grad_keys = scratch.take<float>(keys * tile_.padded_size);
  keys_.grad_values = scratch.take<float>(keys * tile_.padded_value_size);
  keys_.keys_t = scratch.take<float>(keys * tile_.size);
  keys_.values_t = scratch.take<float>(keys * tile_.value_size);
  if (copies_) key_copy_ = scratch.take<float>(keys * tile_.padded_size);
  if (setup_.score().is_pairwise) {
    prepared_keys_ = scratch.take<float>(2 * keys * tile_.size);
    keys_.grad_keys_t = scratch.take<float>(keys * tile_.size);
  }
  if (setup_.uses_pairs()) key_pairs_ = scratch.take<uint16_t>(keys * tile_.padded_size);
}

// What is summed beside dQ, dK and dV.
void BackwardTask::take_sums(Scratch& scratch) {
  if (setup_.score().has_terms) {
    tile_.sums.query_terms = scratch.take<float>(kBackwardQueries);
    tile_.sums.key_terms = scratch.take<float>(kBackwardKeys);
  }
  if (pass_.sums.any_relative()) relative_ = scratch.take<float>(pass_.sums.relative_entries());
  if (pass_.sums.any_dense()) {
    tile_.sums.dense = scratch.take<float>(kBackwardQueries * kBackwardKeys);
    dense_columns_ = scratch.take<float>(kBackwardKeys);
  }
}

void BackwardTask::load_keys() {
  const int64_t panel = setup_.panel();
  const Rows keys = setup_.key_rows(place_.batch, key_head_, key_range_.begin);
  const Rows values = setup_.value_rows(place_.batch, key_head_, key_range_.begin);
  const int size = tile_.size;
  const int64_t bytes = bytes_of(problem_.type);
  keys_.key = key_range_.begin;
  keys_.count = static_cast<int>(key_range_.size());
  keys_.panels = static_cast<int>(div_up(keys_.count, panel));
  keys_.raw_keys = keys;
  const auto rows_from = [&](Rows rows, int64_t row) {
    return Rows{static_cast<const char*>(rows.data) + row * rows.stride * bytes, rows.stride};
  };
  const bool pairs = setup_.uses_pairs();
  for (int p = 0; p < keys_.panels; ++p) {
    const int64_t row = p * panel;
    const int count = static_cast<int>(std::min(panel, keys_.count - row));
    // In pairs a panel takes half the words.
    float* keys_t = const_cast<float*>(keys_.keys_t) + row * size / (pairs ? 2 : 1);
    float* values_t = const_cast<float*>(keys_.values_t) + row * tile_.value_size / (pairs ? 2 : 1);
    if (pairs) {
      table_.pack_transposed_pairs(rows_from(keys, row), count, size, keys_t);
      table_.pack_transposed_pairs(rows_from(values, row), count, tile_.value_size, values_t);
    } else {
      table_.pack_transposed(rows_from(keys, row), problem_.type, count, size, keys_t);
      table_.pack_transposed(rows_from(values, row), problem_.type, count, tile_.value_size,
                             values_t);
    }
  }
  if (pairs) {
    table_.pack_row_pairs(keys, keys_.count, size, key_pairs_, tile_.padded_size);
    keys_.key_pairs = key_pairs_;
  }
  if (!copies_) {
    keys_.keys = static_cast<const float*>(keys.data);
    keys_.key_stride = keys.stride;
  } else if (!pairs || setup_.score().has_terms) {
    table_.copy_rows(keys, problem_.type, keys_.count, size, key_copy_, tile_.padded_size);
    keys_.keys = key_copy_;
    keys_.key_stride = tile_.padded_size;
  }
  if (prepared_keys_ != nullptr) {
    const int64_t numbers = panel * size;
    for (int64_t p = 0; p < keys_.panels; ++p) {
      setup_.score().prepare(keys_.keys_t + p * numbers, numbers, prepared_keys_ + 2 * p * numbers);
    }
    keys_.prepared_t = prepared_keys_;
  }
}

void BackwardTask::run_head(int64_t head) {
  place_.head = head;
  score_ = setup_.head_score(place_.batch, head);
  dropout_ = setup_.dropout(place_.batch, head);
  tile_.sums.parameter = pass_.sums.parameter(place_);
  tile_.sums.alibi = pass_.sums.alibi(place_);
  tile_.sums.relative = relative_;
  tile_.sums.relative_below = &relative_below_;
  tile_.sums.relative_above = &relative_above_;
  relative_below_ = relative_above_ = 0;
  if (relative_ != nullptr) std::fill_n(relative_, pass_.sums.relative_entries(), 0.0F);
  if (dense_columns_ != nullptr) std::fill_n(dense_columns_, kBackwardKeys, 0.0F);

  thread_local std::vector<QueryBlock> storage;
  const QueryBlockPlan::List list =
      pass_.plan.blocks(place_.batch, head, place_.key_block, storage);
  // Last queries first: the first that a task touches are then those that the task before it,
  // running beside it, touched first too, or never; under a window neither waits.
  const QueryBlock* next = list.end;
  if (pass_.sums.dense_in_turn()) {
    for (int64_t q = pass_.query_blocks - 1; q >= 0; --q) {
      if (next != list.begin && next[-1].index == q) {
        if (!visit_queries(*--next)) return;
      } else if (!pass_.sums.add_dense(place_, q, nullptr, key_range_)) {
        return;
      }
    }
  } else {
    while (next != list.begin) {
      if (!visit_queries(*--next)) return;
    }
  }
  if (pass_.sums.has_dense_columns()) {
    pass_.sums.add_dense_columns(place_, dense_columns_, key_range_);
  }
  if (relative_ != nullptr) {
    const bool any = list.begin != list.end;
    const int64_t first = any ? list.begin->index * int64_t{kBackwardQueries} : 0;
    const int64_t last = any ? (list.end[-1].index + int64_t{1}) * kBackwardQueries : 0;
    pass_.sums.add_relative(place_, tile_.sums, key_range_.begin - last - problem_.query_offset,
                            key_range_.end - first - problem_.query_offset);
  }
}

void BackwardTask::load_queries(int64_t query_block) {
  query_range_ = block_range(query_block, kBackwardQueries, problem_.shape.queries);
  const int count = static_cast<int>(query_range_.size());
  const Rows queries = setup_.query_rows(place_.batch, place_.head, query_range_.begin);
  const Rows grads =
      setup_.rows_of(pass_.args.grad_output, place_.batch, place_.head, query_range_.begin);
  queries_ = {};
  queries_.query = query_range_.begin;
  queries_.count = count;
  queries_.raw_queries = queries;
  queries_.raw_grads = grads;
  const int64_t row = (place_.batch * problem_.shape.heads + place_.head) * problem_.shape.queries +
                      query_range_.begin;
  queries_.log_sum = pass_.log_sum.data() + row;
  queries_.log_sum_rest = pass_.log_sum_rest.data() + row;
  queries_.delta = pass_.delta.data() + row;
  if (setup_.uses_pairs()) load_query_pairs(queries, grads);
  if (!copies_) {
    queries_.queries = static_cast<const float*>(queries.data);
    queries_.query_stride = queries.stride;
    queries_.grads = static_cast<const float*>(grads.data);
    queries_.grad_stride = grads.stride;
  } else if (!setup_.uses_pairs() || setup_.score().has_terms) {
    table_.copy_rows(queries, problem_.type, count, tile_.size, query_copy_, tile_.padded_size);
    table_.copy_rows(grads, problem_.type, count, tile_.value_size, grad_copy_,
                     tile_.padded_value_size);
    queries_.queries = query_copy_;
    queries_.query_stride = tile_.padded_size;
    queries_.grads = grad_copy_;
    queries_.grad_stride = tile_.padded_value_size;
  }
  if (prepared_queries_ != nullptr) {
    const int64_t padded = tile_.padded_size;
    for (int64_t i = 0; i < count; ++i) {
      setup_.score().prepare(query_copy_ + i * padded, padded, prepared_queries_ + 2 * i * padded);
    }
    queries_.prepared = prepared_queries_;
  }
}

void BackwardTask::load_query_pairs(Rows queries, Rows grads) {
  queries_.query_halves = static_cast<const uint16_t*>(queries.data);
  queries_.query_halves_stride = queries.stride;
  queries_.grad_halves = static_cast<const uint16_t*>(grads.data);
  queries_.grad_halves_stride = grads.stride;
  table_.pack_row_pairs(queries, queries_.count, tile_.size, query_pairs_, tile_.padded_size);
  table_.pack_row_pairs(grads, queries_.count, tile_.value_size, grad_pairs_,
                        tile_.padded_value_size);
  queries_.query_pairs = query_pairs_;
  queries_.grad_pairs = grad_pairs_;
}

// Null where all pairs of the tile are allowed.
const uint64_t* BackwardTask::masks_of(const QueryBlock& block, bool& is_empty) {
  is_empty = false;
  if (block.is_full) return nullptr;
  const Range queries = block_range(block.index, kBackwardQueries, problem_.shape.queries);
  problem_.pattern->allowed(place_.batch, place_.head, queries, key_range_, columns_);
  const uint64_t all = ~uint64_t{0} >> (64 - queries.size());
  uint64_t any = 0;
  uint64_t every = all;
  for (int64_t j = 0; j < key_range_.size(); ++j) {
    any |= columns_[j];
    every &= columns_[j];
  }
  is_empty = any == 0;
  return every == all ? nullptr : columns_;
}

// False where another worker failed.
bool BackwardTask::visit_queries(const QueryBlock& block) {
  bool is_empty = false;
  const uint64_t* masks = masks_of(block, is_empty);
  LiveRows live;
  if (!is_empty) {
    load_queries(block.index);
    live = run_tile(masks);
  }
  return add_grad_queries(block, live) && add_learned(block, live);
}

LiveRows BackwardTask::run_tile(const uint64_t* masks) {
  tile_.masks = masks;
  if (tile_.sums.query_terms != nullptr) {
    std::fill_n(tile_.sums.query_terms, kBackwardQueries, 0.0F);
  }
  const LiveRows live = (setup_.uses_pairs() ? table_.backward_tile_pairs : table_.backward_tile)(
      tile_, queries_, keys_);
  if (tile_.sums.query_terms != nullptr) add_query_terms(live);
  return live;
}

void BackwardTask::add_query_terms(LiveRows live) {
  setup_.score().add_term_gradients(
      TermSide::kQuery, queries_.queries + live.begin * queries_.query_stride,
      queries_.query_stride, live.end - live.begin, tile_.size,
      score_.query_terms + queries_.query + live.begin, tile_.sums.query_terms + live.begin,
      tile_.grad_queries + live.begin * tile_.padded_size, tile_.padded_size);
}

bool BackwardTask::add_grad_queries(const QueryBlock& block, LiveRows live) {
  if (pass_.grad_query.data == nullptr) return true;
  const int64_t slice = place_.batch * problem_.shape.heads + place_.head;
  const int64_t cell = slice * pass_.query_blocks + block.index;
  if (!pass_.turns.wait(cell, block.turn)) return false;
  if (live.begin < live.end) {
    table_.add_rows(
        tile_.grad_queries + live.begin * tile_.padded_size, tile_.padded_size,
        score_.modifiers.scale, live.end - live.begin, tile_.size,
        pass_.grad_query_row(place_.batch, place_.head, query_range_.begin + live.begin),
        pass_.grad_query.row);
  }
  pass_.turns.pass(cell, block.turn);
  return true;
}

bool BackwardTask::add_learned(const QueryBlock& block, LiveRows live) {
  if (!pass_.sums.any_dense()) return true;
  if (!pass_.sums.has_dense_columns()) {
    const float* grads = live.begin < live.end ? tile_.sums.dense : nullptr;
    return pass_.sums.add_dense(place_, block.index, grads, key_range_);
  }
  float tile[kBackwardKeys] = {};  // by itself, so that a long sum rounds no more than torch's
  for (int i = live.begin; i < live.end; ++i) {
    for (int j = 0; j < keys_.count; ++j) tile[j] += tile_.sums.dense[i * kBackwardKeys + j];
  }
  for (int j = 0; j < keys_.count; ++j) dense_columns_[j] += tile[j];
  return true;
}

void BackwardTask::finish_keys() {
  const MutableArray& grad_key = pass_.args.grad_key;
  const MutableArray& grad_value = pass_.args.grad_value;
  const int64_t bytes = bytes_of(problem_.type);
  const auto row_of = [&](const MutableArray& a) {
    return static_cast<char*>(a.data) +
           (place_.batch * a.batch + key_head_ * a.head + key_range_.begin * a.row) * bytes;
  };
  if (grad_value.data != nullptr) {
    table_.store_rows(keys_.grad_values, tile_.padded_value_size, 1, keys_.count, tile_.value_size,
                      problem_.type, row_of(grad_value), grad_value.row);
  }
  if (grad_key.data == nullptr) return;
  if (tile_.sums.key_terms != nullptr) {
    setup_.score().add_term_gradients(TermSide::kKey, keys_.keys, keys_.key_stride, keys_.count,
                                      tile_.size, score_.key_terms + keys_.key,
                                      tile_.sums.key_terms, keys_.grad_keys, tile_.padded_size);
  }
  if (keys_.grad_keys_t != nullptr) {
    const int64_t panel = setup_.panel();
    for (int64_t j = 0; j < keys_.count; ++j) {
      const float* from = keys_.grad_keys_t + j / panel * panel * tile_.size + j % panel;
      for (int d = 0; d < tile_.size; ++d) {
        keys_.grad_keys[j * tile_.padded_size + d] += from[d * panel];
      }
    }
  }
  table_.store_rows(keys_.grad_keys, tile_.padded_size, problem_.score.scale, keys_.count,
                    tile_.size, problem_.type, row_of(grad_key), grad_key.row);
}

}  // namespace heed::kernels
