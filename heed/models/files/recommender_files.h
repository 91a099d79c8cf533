// A trained recommender as a directory: config.json, model.safetensors, items.tsv and
// histories.tsv.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/files/columns_json.h"
#include "heed/models/recommender.h"

namespace heed::models {

struct TrainedRecommender {
  std::shared_ptr<Recommender> model;
  std::vector<std::string> items;       // V, as the data write them
  std::vector<std::string> names = {};  // V, for people; "" where an item has none. Empty: none has
  std::vector<int64_t> counts;          // V: how often each was taken
  std::vector<std::string> users = {};
  std::vector<std::vector<int32_t>> histories = {};  // of each user, the oldest item first
  DataColumns columns = {};                          // "user", "item", "time"
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
//
//   items.tsv       an item, how often it was taken and, where it has one, its name
//   histories.tsv   a user, and the numbers of items (lines of items.tsv, from 0)
void save(const TrainedRecommender& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field or line.
TrainedRecommender load_recommender(const std::filesystem::path& directory);

}  // namespace heed::models
