// How good recommendations are, and what is recommended, as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "heed/io/json.h"
#include "heed/tasks/ranking/recommendation.h"

namespace heed::cli {

// A table: the model and each baseline, among all items and among those sampled.
std::string recommend_report(const tasks::RecommendationEvaluation& evaluation);

// {"baselines": {"popularity": {"hr@10": …}}, "cutoffs": {"5": {"hr": …}}}
OrderedJson recommend_details(const tasks::RecommendationEvaluation& evaluation);

// [{"item": "B07", "name": "…", "probability": 0.12}]; "name" where the item has one.
OrderedJson items_json(const models::TrainedRecommender& trained,
                       const std::vector<tasks::Recommended>& best);

// The name of an item, or what the data call it.
const std::string& title_of(const models::TrainedRecommender& trained, int32_t item);

}  // namespace heed::cli
