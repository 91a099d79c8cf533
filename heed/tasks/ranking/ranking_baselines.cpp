#include "heed/tasks/ranking/ranking_baselines.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace heed::tasks {
namespace {

constexpr size_t kMostUsers = 2000;  // of an item, that its neighbours are looked for with

std::vector<int32_t> distinct(std::vector<int32_t> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

struct Taken {
  std::vector<std::vector<int32_t>> items;  // of each user, each once
  std::vector<std::vector<int32_t>> users;  // of each item
  std::vector<float> factors;               // 1 / √|U_i|
};

// Adds to the scores of all items those that item j gives them.
void add_neighbours(const Taken& taken, int32_t j, float* scores) {
  const std::vector<int32_t>& users = taken.users[static_cast<size_t>(j)];
  const size_t step = (users.size() + kMostUsers - 1) / kMostUsers;
  for (size_t u = 0; u < users.size(); u += step) {
    const float weight = taken.factors[static_cast<size_t>(j)] * static_cast<float>(step);
    for (const int32_t item : taken.items[static_cast<size_t>(users[u])]) {
      scores[item] += weight * taken.factors[static_cast<size_t>(item)];
    }
  }
}

}  // namespace

Ranker popularity(std::span<const RankingCase> histories, int64_t num_items) {
  const at::Tensor counts = at::zeros({1, num_items});
  auto* first = counts.mutable_data_ptr<float>();
  for (const RankingCase& each : histories) {
    for (const int32_t item : each.history) first[item] += 1;
  }
  return [counts](std::span<const RankingCase> cases) {
    return counts.repeat({static_cast<int64_t>(cases.size()), 1});
  };
}

Ranker item_neighbours(std::span<const RankingCase> histories, int64_t num_items) {
  auto taken = std::make_shared<Taken>();
  taken->users.resize(static_cast<size_t>(num_items));
  for (const RankingCase& each : histories) {
    for (const int32_t item : taken->items.emplace_back(distinct(each.history))) {
      taken->users[static_cast<size_t>(item)].push_back(static_cast<int32_t>(taken->items.size()) -
                                                        1);
    }
  }
  for (const auto& users : taken->users) {
    taken->factors.push_back(1 / std::sqrt(std::max(1.0F, static_cast<float>(users.size()))));
  }
  return [taken = std::shared_ptr<const Taken>(std::move(taken)),
          num_items](std::span<const RankingCase> cases) {
    const at::Tensor scores = at::zeros({static_cast<int64_t>(cases.size()), num_items});
    auto* row = scores.mutable_data_ptr<float>();
    for (const RankingCase& each : cases) {
      for (const int32_t item : distinct(each.history)) add_neighbours(*taken, item, row);
      row += num_items;
    }
    return scores;
  };
}

}  // namespace heed::tasks
