// How far up the lists of a recommender the item stands that a user took next.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "heed/metrics/ranking.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

// What a user took, and what came next: a number of an item, or −1 for one that the recommender
// does not know.
struct RankingCase {
  std::vector<int32_t> history;
  int32_t wanted = -1;
};

// Scores (cases, V) of all items, contiguous float32 on the CPU, which may be written to.
using Ranker = std::function<at::Tensor(std::span<const RankingCase> cases)>;

struct RankingOptions {
  int64_t num_items = 0;  // V
  // Items that the wanted one is ranked among a second time, drawn evenly from those that the user
  // did not take, and other ones for each user.       He et al. 2017, Kang and McAuley 2018
  int64_t sampled = 100;
  uint64_t seed = 1;
  bool with_loss = false;  // where scores are logits
};

struct RankingEvaluation {
  metrics::Ranking all;      // among all items that the user did not take before
  metrics::Ranking sampled;  // among the sampled ones
  double coverage = 0;       // share of the items that stand in any list of ten
  double loss = 0;           // mean −log softmax, in nats
};

inline constexpr int64_t kCutoff = 10;  // of the metrics that are shown

// Items that a user took before are left out of the list, but for the wanted one itself; a wanted
// item of −1 is ranked last.
RankingEvaluation evaluate(std::span<const RankingCase> cases, const Ranker& ranker,
                           const RankingOptions& options, const Progress& progress);

// "hr@10", "ndcg@10", "mrr", "coverage@10", "sampled_hr@10", "sampled_ndcg@10".
Metrics metrics_of(const RankingEvaluation& evaluation);

}  // namespace heed::tasks
