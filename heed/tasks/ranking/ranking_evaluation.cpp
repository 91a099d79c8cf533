#include "heed/tasks/ranking/ranking_evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <random>

#include "heed/base/error.h"
#include "heed/ops/operator_workers.h"

namespace heed::tasks {
namespace {

constexpr int64_t kMostScores = 6'000'000;  // of a batch
constexpr int64_t kMostCases = 256;
constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Ranked {
  int64_t rank = 0;
  int64_t sampled_rank = 0;
  double loss = 0;
  std::vector<int32_t> best;
};

// −log softmax of one score.
double loss_of(std::span<const float> scores, int32_t wanted) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - most);
  return most + std::log(sum) - scores[static_cast<size_t>(wanted)];
}

int64_t rank_of(std::span<const float> scores, float wanted) {
  int64_t above = 0;
  int64_t equal = -1;  // itself
  for (const float score : scores) {
    above += score > wanted ? 1 : 0;
    equal += score == wanted ? 1 : 0;
  }
  return metrics::rank_among(above, equal);
}

// The items of the highest scores; of equal ones those that come first.
std::vector<int32_t> best_of(std::span<const float> scores) {
  const auto better = [&](int32_t a, int32_t b) {
    const float x = scores[static_cast<size_t>(a)];
    const float y = scores[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  };
  std::vector<int32_t> heap;  // its front is the worst of the best
  for (int32_t i = 0; i < std::ssize(scores); ++i) {
    if (std::ssize(heap) == kCutoff) {
      if (!better(i, heap.front())) continue;
      std::pop_heap(heap.begin(), heap.end(), better);
      heap.pop_back();
    }
    heap.push_back(i);
    std::push_heap(heap.begin(), heap.end(), better);
  }
  return heap;
}

class UserRows {
 public:
  UserRows(const RankingOptions& options, float* scores) : options_(options), scores_(scores) {}

  // `number`: of the case among all, which its sample depends on.
  Ranked operator()(const RankingCase& each, int64_t row, int64_t number) const {
    const std::span<float> scores(scores_ + row * options_.num_items,
                                  static_cast<size_t>(options_.num_items));
    Ranked result{.rank = options_.num_items, .sampled_rank = options_.num_items};
    const bool known = each.wanted >= 0;
    if (known && options_.with_loss) result.loss = loss_of(scores, each.wanted);
    const float wanted = known ? scores[static_cast<size_t>(each.wanted)] : 0;
    std::vector<int32_t> taken = each.history;
    std::sort(taken.begin(), taken.end());
    taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
    for (const int32_t item : taken) {
      if (item != each.wanted) scores[static_cast<size_t>(item)] = kNever;
    }
    result.best = best_of(scores);
    if (!known) return result;
    result.rank = rank_of(scores, wanted);
    result.sampled_rank = sampled_rank(scores, each, taken, number).value_or(result.rank);
    return result;
  }

 private:
  // None where there are no more items than are sampled.
  std::optional<int64_t> sampled_rank(std::span<const float> scores, const RankingCase& each,
                                      const std::vector<int32_t>& taken, int64_t number) const {
    if (options_.num_items - std::ssize(taken) - 1 <= options_.sampled) return {};
    std::mt19937_64 random(options_.seed * 1'000'003 + static_cast<uint64_t>(number));
    const float wanted = scores[static_cast<size_t>(each.wanted)];
    std::vector<int32_t> drawn;
    int64_t above = 0;
    int64_t equal = 0;
    while (std::ssize(drawn) < options_.sampled) {
      const auto item = static_cast<int32_t>(random() % static_cast<uint64_t>(options_.num_items));
      if (item == each.wanted || std::binary_search(taken.begin(), taken.end(), item) ||
          std::find(drawn.begin(), drawn.end(), item) != drawn.end()) {
        continue;
      }
      drawn.push_back(item);
      above += scores[static_cast<size_t>(item)] > wanted ? 1 : 0;
      equal += scores[static_cast<size_t>(item)] == wanted ? 1 : 0;
    }
    return metrics::rank_among(above, equal);
  }

  const RankingOptions& options_;
  float* scores_;
};

}  // namespace

RankingEvaluation evaluate(std::span<const RankingCase> cases, const Ranker& ranker,
                           const RankingOptions& options, const Progress& progress) {
  RankingEvaluation result;
  std::vector<bool> listed(static_cast<size_t>(options.num_items));
  const auto count = static_cast<int64_t>(cases.size());
  const int64_t most = std::clamp<int64_t>(kMostScores / options.num_items, 1, kMostCases);
  double loss = 0;
  for (int64_t first = 0; first < count; first += most) {
    const int64_t rows = std::min(most, count - first);
    const auto batch = cases.subspan(static_cast<size_t>(first), static_cast<size_t>(rows));
    const at::Tensor scores = ranker(batch);
    const UserRows ranked(options, scores.mutable_data_ptr<float>());
    std::vector<Ranked> found(static_cast<size_t>(rows));
    std::atomic<int64_t> next = 0;
    OperatorWorkers().run([&](int /*worker*/) {
      for (int64_t row = next++; row < rows; row = next++) {
        const auto at = static_cast<size_t>(row);
        found[at] = ranked(batch[at], row, first + row);
      }
    });
    for (const Ranked& each : found) {
      result.all.add(each.rank);
      result.sampled.add(each.sampled_rank);
      loss += each.loss;
      for (const int32_t item : each.best) listed[static_cast<size_t>(item)] = true;
    }
    if (progress) progress(first + rows, count);
  }
  result.coverage = static_cast<double>(std::count(listed.begin(), listed.end(), true)) /
                    static_cast<double>(std::max<int64_t>(1, options.num_items));
  result.loss = loss / static_cast<double>(std::max<int64_t>(1, count));
  return result;
}

Metrics metrics_of(const RankingEvaluation& evaluation) {
  return {{"hr@10", evaluation.all.hit_rate(kCutoff)},
          {"ndcg@10", evaluation.all.ndcg(kCutoff)},
          {"mrr", evaluation.all.mean_reciprocal_rank()},
          {"coverage@10", evaluation.coverage},
          {"sampled_hr@10", evaluation.sampled.hit_rate(kCutoff)},
          {"sampled_ndcg@10", evaluation.sampled.ndcg(kCutoff)}};
}

}  // namespace heed::tasks
