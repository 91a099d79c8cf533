#include "heed/metrics/entities.h"

#include <algorithm>
#include <iterator>

#include "heed/base/error.h"

namespace heed::metrics {

void EntityCounts::add(std::span<const std::string> actual,
                       std::span<const std::string> predicted) {
  check_usage(actual.size() == predicted.size(), "predicted tags: expected ", actual.size(),
              " as in the reference, got ", predicted.size());
  const auto entities = [&](std::span<const std::string> tags) {
    auto list = strict_ ? text::strict_entities_of(tags, *strict_) : text::entities_of(tags);
    std::sort(list.begin(), list.end());
    return list;
  };
  add_entities(entities(actual), entities(predicted));
}

void EntityCounts::add_entities(std::span<const text::Entity> actual,
                                std::span<const text::Entity> predicted) {
  std::vector<text::Entity> both;
  std::set_intersection(actual.begin(), actual.end(), predicted.begin(), predicted.end(),
                        std::back_inserter(both));
  for (const text::Entity& entity : actual) ++types_[entity.type].actual;
  for (const text::Entity& entity : predicted) ++types_[entity.type].predicted;
  for (const text::Entity& entity : both) ++types_[entity.type].correct;
}

std::vector<std::string> EntityCounts::types() const {
  std::vector<std::string> names;
  for (const auto& [name, counts] : types_) names.push_back(name);
  return names;
}

std::vector<PrecisionRecall> EntityCounts::per_type() const {
  std::vector<PrecisionRecall> scores;
  for (const auto& [name, counts] : types_) {
    scores.push_back(precision_recall(counts.correct, counts.predicted, counts.actual));
  }
  return scores;
}

PrecisionRecall EntityCounts::micro() const {
  Counts sum;
  for (const auto& [name, counts] : types_) {
    sum.correct += counts.correct;
    sum.predicted += counts.predicted;
    sum.actual += counts.actual;
  }
  return precision_recall(sum.correct, sum.predicted, sum.actual);
}

PrecisionRecall EntityCounts::macro() const { return mean_of(per_type(), Average::kMacro); }

PrecisionRecall EntityCounts::weighted() const { return mean_of(per_type(), Average::kWeighted); }

std::string EntityCounts::report() const {
  std::vector<std::string> names = types();
  std::vector<PrecisionRecall> scores = per_type();
  names.insert(names.end(), {"micro", "macro", "weighted"});
  scores.insert(scores.end(), {micro(), macro(), weighted()});
  return score_table(names, scores);
}

}  // namespace heed::metrics
