// What a sceptic tries before a recommender that learns.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "heed/tasks/ranking/ranking_evaluation.h"

namespace heed::tasks {

// The same list for everybody: what was taken most often in these histories.
Ranker popularity(std::span<const RankingCase> histories, int64_t num_items);

// Items that were taken by the same users as those of the history: the sum over its items j of
// |U_i ∩ U_j| / √(|U_i| |U_j|), U the users who took an item.     Sarwar et al. 2001, section 3.1.1
// Of items that very many took, every so many-th user counts.
Ranker item_neighbours(std::span<const RankingCase> histories, int64_t num_items);

}  // namespace heed::tasks
