// One task of the backward pass: see backward.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/kernels/attention/patterns/block_list.h"
#include "heed/kernels/attention/tiles/backward_sums.h"
#include "heed/kernels/attention/tiles/setup.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {

// What the tasks of one call share.
struct BackwardPass {
  BackwardPass(const Problem& of, const BackwardArgs& with, const TileSetup& prepared);

  // Only while the slice of the head is in flight, where dQ is summed apart.
  float* grad_query_row(int64_t batch, int64_t head, int64_t row) const {
    return static_cast<float*>(grad_query.data) +
           (batch * grad_query.batch + head * grad_query.head - grad_query_begin) +
           row * grad_query.row;
  }
  bool sums_apart() const { return grad_query_floats != nullptr; }
  void begin_wave(int64_t first_slice);
  void stop() {
    turns.stop();
    sums.stop();
  }

  const Problem& problem;
  const BackwardArgs& args;
  const TileSetup& setup;
  int64_t key_blocks;
  int64_t query_blocks;
  int64_t wave;  // slices (a key head of a batch each) in flight at a time
  QueryBlockPlan plan;
  Turnstiles turns;  // (B, H, query blocks): whose turn it is to add to dQ
  LearnedSums sums;
  std::vector<float> log_sum;       // (B, H, Nq), log2 units
  std::vector<float> log_sum_rest;  // (B, H, Nq), what rounding took from it
  std::vector<float> delta;         // (B, H, Nq)
  // dQ of a bfloat16 problem while it is summed: of the slices in flight.
  std::unique_ptr<float[]> grad_query_floats;
  MutableArray grad_query;       // float32: the caller's or grad_query_floats
  int64_t grad_query_begin = 0;  // where grad_query_floats begin
};

class BackwardTask {
 public:
  explicit BackwardTask(BackwardPass& pass)
      : pass_(pass), problem_(pass.problem), setup_(pass.setup), table_(pass.setup.table()) {}

  void run(int64_t batch, int64_t key_head, int64_t key_block);

 private:
  void take_scratch();
  void take_tile(Scratch& scratch);
  void take_keys(Scratch& scratch);
  void take_sums(Scratch& scratch);
  void load_keys();
  void run_head(int64_t head);
  void load_queries(int64_t query_block);
  void load_query_pairs(Rows queries, Rows grads);
  const uint64_t* masks_of(const QueryBlock& block, bool& is_empty);
  bool visit_queries(const QueryBlock& block);
  LiveRows run_tile(const uint64_t* masks);
  void add_query_terms(LiveRows live);
  bool add_grad_queries(const QueryBlock& block, LiveRows live);
  bool add_learned(const QueryBlock& block, LiveRows live);
  void finish_keys();

  BackwardPass& pass_;
  const Problem& problem_;
  const TileSetup& setup_;
  const TileTable& table_;
  SumPlace place_;
  int64_t key_head_ = 0;
  Range key_range_;
  Range query_range_;
  HeadScore score_;
  TileDropout dropout_;
  BackwardKeys keys_;
  BackwardQueries queries_;
  BackwardTile tile_;
  bool copies_ = false;  // rows are converted or padded
  float* key_copy_ = nullptr;
  float* query_copy_ = nullptr;
  float* grad_copy_ = nullptr;
  float* prepared_queries_ = nullptr;
  float* prepared_keys_ = nullptr;
  uint16_t* key_pairs_ = nullptr;
  uint16_t* query_pairs_ = nullptr;
  uint16_t* grad_pairs_ = nullptr;
  float* relative_ = nullptr;
  double relative_below_ = 0;
  double relative_above_ = 0;
  float* dense_columns_ = nullptr;
  uint64_t columns_[kBackwardKeys];
};

}  // namespace heed::kernels
