// What the tasks of one backward pass share: see backward.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/kernels/attention/patterns/block_list.h"
#include "heed/kernels/attention/tiles/backward_sums.h"
#include "heed/kernels/attention/tiles/setup.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {

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

}  // namespace heed::kernels
