#include "heed/metrics/ranking.h"

#include <cmath>

namespace heed::metrics {
namespace {

template <typename Gain>
double mean(const std::vector<int64_t>& ranks, const Gain& gain) {
  double sum = 0;
  for (const int64_t rank : ranks) sum += gain(static_cast<double>(rank));
  return ranks.empty() ? 0 : sum / static_cast<double>(ranks.size());
}

}  // namespace

double Ranking::hit_rate(int64_t k) const {
  return mean(ranks_, [k](double rank) { return rank < static_cast<double>(k) ? 1.0 : 0.0; });
}

double Ranking::ndcg(int64_t k) const {
  return mean(ranks_, [k](double rank) {
    return rank < static_cast<double>(k) ? 1 / std::log2(rank + 2) : 0.0;
  });
}

double Ranking::mean_reciprocal_rank() const {
  return mean(ranks_, [](double rank) { return 1 / (rank + 1); });
}

}  // namespace heed::metrics
