#include "heed/data/length_buckets.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "heed/base/error.h"
#include "heed/data/shuffle.h"

namespace heed::data {
namespace {

using Order = std::vector<int64_t>;

Order in_order(const std::vector<int64_t>& lengths) {
  Order order(lengths.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  return order;
}

std::vector<Order> cut(const Order& order, int64_t batch_size) {
  std::vector<Order> batches;
  for (size_t begin = 0; begin < order.size(); begin += static_cast<size_t>(batch_size)) {
    const size_t end = std::min(order.size(), begin + static_cast<size_t>(batch_size));
    batches.emplace_back(order.begin() + static_cast<int64_t>(begin),
                         order.begin() + static_cast<int64_t>(end));
  }
  return batches;
}

std::vector<Order> cut_by_tokens(const Order& order, const std::vector<int64_t>& lengths,
                                 int64_t batch_tokens) {
  std::vector<Order> batches;
  int64_t longest = 0;
  for (const int64_t example : order) {
    longest = std::max(longest, lengths[static_cast<size_t>(example)]);
    const int64_t count = batches.empty() ? 0 : static_cast<int64_t>(batches.back().size()) + 1;
    if (count == 0 || count * longest > batch_tokens) {
      batches.emplace_back();
      longest = lengths[static_cast<size_t>(example)];
    }
    batches.back().push_back(example);
  }
  return batches;
}

// Examples among which there is a sort by length, at least one.
size_t window_size(const std::vector<int64_t>& lengths, const BucketOptions& options) {
  if (options.batch_tokens == 0) return static_cast<size_t>(options.window * options.batch_size);
  const int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  const int64_t mean = tokens / std::max<int64_t>(1, static_cast<int64_t>(lengths.size()));
  const int64_t in_a_batch = options.batch_tokens / std::max<int64_t>(1, mean);
  return static_cast<size_t>(options.window * std::max<int64_t>(1, in_a_batch));
}

}  // namespace

std::vector<Order> length_buckets(const std::vector<int64_t>& lengths,
                                  const BucketOptions& options) {
  check_usage(options.batch_size > 0, "batch size: expected at least 1, got ", options.batch_size);
  check_usage(options.batch_tokens >= 0, "batch tokens: expected 0 or more, got ",
              options.batch_tokens);
  check_usage(options.window > 0, "bucket window: expected at least 1, got ", options.window);
  std::mt19937_64 random(options.seed);
  Order order = in_order(lengths);
  shuffle(order, random);
  const size_t window = window_size(lengths, options);
  for (size_t begin = 0; begin < order.size(); begin += window) {
    const auto first = order.begin() + static_cast<int64_t>(begin);
    const auto last = order.begin() + static_cast<int64_t>(std::min(order.size(), begin + window));
    std::stable_sort(first, last, [&](int64_t a, int64_t b) {
      return lengths[static_cast<size_t>(a)] < lengths[static_cast<size_t>(b)];
    });
  }
  auto batches = options.batch_tokens > 0 ? cut_by_tokens(order, lengths, options.batch_tokens)
                                          : cut(order, options.batch_size);
  shuffle(batches, random);
  return batches;
}

std::vector<Order> by_length(const std::vector<int64_t>& lengths, int64_t batch_size) {
  check_usage(batch_size > 0, "batch size: expected at least 1, got ", batch_size);
  Order order = in_order(lengths);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
  });
  return cut(order, batch_size);
}

}  // namespace heed::data
