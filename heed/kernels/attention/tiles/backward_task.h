// One task of the backward pass: see backward.cpp.
#pragma once

#include <cstdint>

#include "heed/kernels/attention/tiles/backward_pass.h"
#include "heed/kernels/vector/scratch.h"

namespace heed::kernels {

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
