#include "heed/metrics/relevance.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "heed/base/error.h"

namespace heed::metrics {
namespace {

// From 1 on.
std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double shared = (static_cast<double>(begin + end) + 1) / 2;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = shared;
    begin = end;
  }
  return ranks;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto count = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / count;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / count;
  double both = 0, square_a = 0, square_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - mean_a) * (b[i] - mean_b);
    square_a += (a[i] - mean_a) * (a[i] - mean_a);
    square_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return square_a > 0 && square_b > 0 ? both / std::sqrt(square_a * square_b) : 0;
}

double discounted(std::span<const double> gains, int64_t k) {
  double sum = 0;
  const auto count = std::min(gains.size(), static_cast<size_t>(k));
  for (size_t i = 0; i < count; ++i) sum += gains[i] / std::log2(static_cast<double>(i) + 2);
  return sum;
}

}  // namespace

double spearman(std::span<const double> a, std::span<const double> b) {
  check_usage(a.size() == b.size(), "spearman: expected as many numbers of both, got ", a.size(),
              " and ", b.size());
  return a.size() < 2 ? 0 : correlation(ranks_of(a), ranks_of(b));
}

double ndcg(std::span<const double> gains, int64_t k) {
  std::vector<double> best(gains.begin(), gains.end());
  std::sort(best.begin(), best.end(), std::greater<>());
  const double most = discounted(best, k);
  return most > 0 ? discounted(gains, k) / most : 0;
}

}  // namespace heed::metrics
