// How far up a list what was wanted stands.
#pragma once

#include <cstdint>
#include <vector>

namespace heed::metrics {

// Each list has one item that is wanted.
class Ranking {
 public:
  // `rank`: how many items stand above the wanted one.
  void add(int64_t rank) { ranks_.push_back(rank); }

  int64_t count() const { return static_cast<int64_t>(ranks_.size()); }

  // The share of lists whose first k items hold it (HR@k, recall@k).
  double hit_rate(int64_t k) const;
  // The mean of 1 / log2(rank + 2) where the first k items hold it, else 0 (NDCG@k).
  //                                                      Järvelin and Kekäläinen 2002
  double ndcg(int64_t k) const;
  // The mean of 1 / (rank + 1).
  double mean_reciprocal_rank() const;

 private:
  std::vector<int64_t> ranks_;
};

// The rank of a score among others, of which `above` are higher and `equal` the same: in the middle
// of those, so that a score that says nothing is worth what chance is worth.
constexpr int64_t rank_among(int64_t above, int64_t equal) { return above + (equal + 1) / 2; }

}  // namespace heed::metrics
