// A bias of the scores by distance, shared in buckets that grow with it: exact for near tokens,
// logarithmic for far ones.                                       Raffel et al. 2020, section 2.1
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace heed::nn {

struct RelativeBucketsOptions {
  int64_t heads = 1;  // H
  int64_t buckets = 32;
  int64_t reach = 128;       // tokens farther apart share the last bucket
  bool only_before = false;  // all buckets for keys before the query; those behind it are not seen
};

class RelativeBuckets : public torch::nn::Module {
 public:
  // Throws UsageError where there are too few buckets, or more than the reach has distances.
  explicit RelativeBuckets(const RelativeBucketsOptions& options);

  // The bias of each distance, from −reach to reach: (H, 2 · reach + 1).
  at::Tensor table() const;

  at::Tensor weight;  // (buckets, H)

 private:
  at::Tensor bucket_;  // (2 · reach + 1) int64, of each distance
};

}  // namespace heed::nn
