#include "heed/tasks/ranking/recommendation.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>

#include "heed/base/error.h"
#include "heed/ops/cross_entropy.h"
#include "heed/ops/linear.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/ranking/ranking_baselines.h"

namespace heed::tasks {
namespace {

// The last `most` items of each history, as they are ranked from.
models::TextBatch last_items(std::span<const RankingCase> cases, int64_t most) {
  std::vector<std::vector<int32_t>> cut;
  models::IdRows rows;
  for (const RankingCase& each : cases) {
    const auto length = std::min<int64_t>(most, std::ssize(each.history));
    cut.emplace_back(each.history.end() - length, each.history.end());
  }
  for (const auto& each : cut) rows.push_back(&each);
  return models::text_batch(rows, 0);
}

std::vector<RankingCase> sorted_by_length(std::vector<RankingCase> cases) {
  std::stable_sort(cases.begin(), cases.end(), [](const RankingCase& a, const RankingCase& b) {
    return a.history.size() < b.history.size();
  });
  return cases;
}

std::vector<std::string> names_for(const std::vector<std::string>& items,
                                   const data::ItemNames& names) {
  std::vector<std::string> found;
  for (const std::string& item : items) {
    const auto at = names.find(item);
    found.push_back(at == names.end() ? "" : at->second);
  }
  return names.empty() ? std::vector<std::string>() : found;
}

}  // namespace

int64_t Recommendation::train_length(size_t user) const {
  const int64_t length = std::ssize(trained_.histories[user]);
  return length >= 3 ? length - 2 : length;
}

// Parts of what trains, the last ones first, so that only the first may be short.
void Recommendation::add_pieces(size_t user) {
  const int64_t most = options_.model.transformer.max_length;
  for (int64_t end = train_length(user) - 1; end > 0; end -= most) {
    const int64_t begin = std::max<int64_t>(0, end - most);
    pieces_.push_back({.user = static_cast<int32_t>(user),
                       .begin = static_cast<int32_t>(begin),
                       .length = static_cast<int32_t>(end - begin)});
    lengths_.push_back(end - begin);
  }
}

Recommendation::Recommendation(const data::InteractionData& data, const data::ItemNames& names,
                               const RecommendationOptions& options)
    : options_(options) {
  trained_.items = data.items;
  trained_.names = names_for(data.items, names);
  trained_.users = data.users;
  trained_.histories = data.histories;
  trained_.columns = {
      {"user", data.user_column}, {"item", data.item_column}, {"time", data.time_column}};
  trained_.counts.resize(data.items.size());
  std::vector<size_t> with_three;
  for (size_t user = 0; user < data.users.size(); ++user) {
    for (const int32_t item : data.histories[user]) ++trained_.counts[static_cast<size_t>(item)];
    if (data.histories[user].size() >= 3) with_three.push_back(user);
    add_pieces(user);
  }
  if (pieces_.empty() || with_three.empty()) {
    throw DataError(data.file, text_of("expected a user with two items to train on and one with ",
                                       "three to validate on, found none; ", data.users.size(),
                                       " users have ", data.count(), " items"));
  }
  const size_t count = std::min(with_three.size(), static_cast<size_t>(options.valid_users));
  for (size_t i = 0; i < count; ++i) {
    const auto& history = data.histories[with_three[i * with_three.size() / count]];
    valid_.push_back(
        {.history = {history.begin(), history.end() - 2}, .wanted = history[history.size() - 2]});
  }
  valid_ = sorted_by_length(std::move(valid_));
  options_.model.num_items = std::ssize(data.items);
  trained_.model = std::make_shared<models::Recommender>(options_.model);
}

std::vector<Source> Recommendation::sources() const {
  return {source_of("interactions",
                    [&](Checksum& sum) {
                      sum.add(trained_.items);
                      sum.add(trained_.users);
                      for (const auto& history : trained_.histories) sum.add(history);
                    }),
          source_of("item names", [&](Checksum& sum) { sum.add(trained_.names); })};
}

std::unique_ptr<HistoryBatch> Recommendation::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<HistoryBatch>(std::move(examples));
  std::vector<std::vector<int32_t>> histories;
  std::vector<int64_t> targets;
  for (const int64_t example : batch->examples) {
    const Piece& piece = pieces_[static_cast<size_t>(example)];
    const auto first = trained_.histories[static_cast<size_t>(piece.user)].begin() + piece.begin;
    histories.emplace_back(first, first + piece.length);
    targets.insert(targets.end(), first + 1, first + 1 + piece.length);
  }
  models::IdRows rows;
  for (const auto& history : histories) rows.push_back(&history);
  batch->items = models::text_batch(rows, 0);
  std::vector<int64_t> places;
  for (size_t row = 0; row < histories.size(); ++row) {
    const int64_t first = static_cast<int64_t>(row) * batch->items.ids.size(1);
    for (int64_t i = 0; i < std::ssize(histories[row]); ++i) places.push_back(first + i);
  }
  batch->places = at::tensor(places);
  batch->targets = at::tensor(targets);
  return batch;
}

Loss Recommendation::loss_of(const HistoryBatch& histories) {
  const models::Recommender& model = *trained_.model;
  const at::Device device = device_of(model);
  const int64_t num_items = model.options().num_items;
  const int64_t negatives = options_.num_negatives;
  const models::TextBatch items = histories.items.to(device);
  const at::Tensor targets = histories.targets.to(device);
  const int64_t count = targets.size(0);
  const auto states_of = [&](const at::Tensor& vectors) {
    const at::Tensor states = model.states(
        vectors.reshape({items.ids.size(0), items.ids.size(1), -1}), {.lengths = items.lengths});
    return states.flatten(0, 1).index_select(0, histories.places.to(device));
  };
  const auto loss_of = [&](const at::Tensor& logits, const at::Tensor& wanted) {
    return Loss{.value = heed::cross_entropy(logits, wanted),
                .tokens = count,
                .weight = static_cast<double>(count)};
  };
  if (negatives == 0 || negatives >= num_items) {
    return loss_of(model.scores(states_of(model.vectors(items.ids))), targets);
  }
  // One look into the embedding for all, whose gradient is as large as it.
  const at::Tensor drawn = at::randint(num_items, {negatives}, at::kLong).to(device);
  const std::vector<at::Tensor> vectors =
      model.vectors(at::cat({items.ids.flatten(), targets, drawn}))
          .split_with_sizes({items.ids.numel(), count, negatives});
  const at::Tensor states = states_of(vectors[0]);
  const at::Tensor positive = (states * vectors[1]).sum(-1, /*keepdim=*/true);
  const at::Tensor negative = heed::linear(states, vectors[2])
                                  .masked_fill(drawn.unsqueeze(0) == targets.unsqueeze(1),
                                               -std::numeric_limits<float>::infinity());
  return loss_of(at::cat({positive, negative}, 1), at::zeros_like(targets));
}

Metrics Recommendation::validate(const Progress& progress) {
  const RankingEvaluation evaluation =
      evaluate(valid_, ranker_of(*trained_.model),
               {.num_items = options_.model.num_items, .with_loss = true}, progress);
  Metrics metrics = metrics_of(evaluation);
  metrics.insert(metrics.begin(), {"loss", evaluation.loss});
  return metrics;
}

void Recommendation::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<RankingCase> Recommendation::test_cases() const {
  std::vector<RankingCase> cases;
  for (const auto& history : trained_.histories) {
    if (history.size() < 3) continue;
    cases.push_back({.history = {history.begin(), history.end() - 1}, .wanted = history.back()});
  }
  return sorted_by_length(std::move(cases));
}

KnownItems::KnownItems(const std::vector<std::string>& items) {
  for (const std::string& item : items) {
    numbers_.emplace(item, static_cast<int32_t>(numbers_.size()));
  }
}

int32_t KnownItems::number(std::string_view item) const {
  const auto at = numbers_.find(item);
  return at == numbers_.end() ? -1 : at->second;
}

std::vector<int32_t> KnownItems::numbers(const std::vector<std::string>& items) const {
  std::vector<int32_t> found;
  for (const std::string& item : items) found.push_back(number(item));
  return found;
}

KnownCases known_cases(const models::TrainedRecommender& trained,
                       const data::InteractionData& data) {
  const std::vector<int32_t> known = KnownItems(trained.items).numbers(data.items);
  KnownCases result;
  for (const auto& history : data.histories) {
    RankingCase made;
    for (const int32_t item : history) {
      made.history.push_back(known[static_cast<size_t>(item)]);
    }
    result.unknown += std::count(made.history.begin(), made.history.end(), -1);
    made.wanted = made.history.back();
    made.history.pop_back();
    std::erase(made.history, -1);
    if (made.history.empty()) {
      ++result.left_out;
    } else {
      result.cases.push_back(std::move(made));
    }
  }
  result.cases = sorted_by_length(std::move(result.cases));
  return result;
}

Ranker ranker_of(const models::Recommender& model) {
  return [&model](std::span<const RankingCase> cases) {
    const c10::InferenceMode inference;
    const models::TextBatch items =
        last_items(cases, model.options().transformer.max_length).to(device_of(model));
    return model.next(items).cpu().contiguous();
  };
}

RecommendationEvaluation evaluate(const models::TrainedRecommender& trained,
                                  const std::vector<RankingCase>& cases, const Progress& progress) {
  const RankingOptions options{.num_items = std::ssize(trained.items), .with_loss = true};
  const RankingOptions plain{.num_items = options.num_items};
  return {.model = evaluate(cases, ranker_of(*trained.model), options, progress),
          .baselines = {
              {"popularity", evaluate(cases, popularity(cases, options.num_items), plain, {})},
              {"item neighbours",
               evaluate(cases, item_neighbours(cases, options.num_items), plain, {})}}};
}

std::vector<Recommended> recommend(const models::TrainedRecommender& trained,
                                   const std::vector<int32_t>& history,
                                   const RecommendOptions& options) {
  const c10::InferenceMode inference;
  const RankingCase one{.history = history};
  const at::Tensor probabilities =
      history.empty() ? at::tensor(trained.counts, at::kFloat)
                      : at::softmax(ranker_of(*trained.model)({&one, 1}).squeeze(0), 0);
  const auto* values = probabilities.const_data_ptr<float>();
  const double whole = history.empty() ? probabilities.sum().item<double>() : 1;
  std::vector<Recommended> best;
  for (int32_t item = 0; item < std::ssize(trained.items); ++item) {
    const bool seen = std::find(history.begin(), history.end(), item) != history.end();
    if (!seen || options.with_seen) best.push_back({item, values[item] / whole});
  }
  const auto end = best.begin() + std::min<int64_t>(options.top, std::ssize(best));
  std::partial_sort(best.begin(), end, best.end(), [](const auto& a, const auto& b) {
    return a.probability > b.probability || (a.probability == b.probability && a.item < b.item);
  });
  best.erase(end, best.end());
  return best;
}

}  // namespace heed::tasks
