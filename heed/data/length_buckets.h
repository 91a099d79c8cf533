// Batches of examples of similar length, so that little of a batch is padding.
#pragma once

#include <cstdint>
#include <vector>

namespace heed::data {

struct BucketOptions {
  int64_t batch_size = 32;  // examples in a batch; the last may have fewer
  int64_t batch_tokens =
      0;                // where it is given it counts instead of batch_size: examples × longest,
                        // padding included, stays within it. A longer example is a batch alone
  uint64_t seed = 0;    // another one gives another order
  int64_t window = 50;  // batches among which examples are sorted by length
};

// Each example 0 .. lengths.size() − 1 exactly once, in random batches in random order. The order
// depends on the arguments alone, on every machine.
std::vector<std::vector<int64_t>> length_buckets(const std::vector<int64_t>& lengths,
                                                 const BucketOptions& options);

// Each example exactly once, from long to short: for evaluation, where the order does not matter.
std::vector<std::vector<int64_t>> by_length(const std::vector<int64_t>& lengths,
                                            int64_t batch_size);

}  // namespace heed::data
