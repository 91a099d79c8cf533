// A trained classifier of nodes as a directory: config.json and model.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/files/columns_json.h"
#include "heed/models/graph_classifier.h"

namespace heed::models {

// A column of the nodes, and how it becomes features.
struct GraphFeature {
  std::string name;
  // Of words: each is a feature, 1 where a node has it; the rows are brought to sum 1. Empty: a
  // column of numbers, one feature.
  std::vector<std::string> words = {};
  double mean = 0;  // of numbers, which are standardised; a missing one is the mean
  double deviation = 1;

  int64_t count() const { return words.empty() ? 1 : static_cast<int64_t>(words.size()); }
};

// What a node has of all columns.
int64_t count_of(const std::vector<GraphFeature>& features);

struct TrainedGraphClassifier {
  std::shared_ptr<GraphClassifier> model;
  std::vector<std::string> labels;  // C; none: it predicts links, and gives vectors of size C
  std::vector<GraphFeature> features;
  DataColumns columns = {};  // "node", "label", "split"
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedGraphClassifier& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedGraphClassifier load_graph_classifier(const std::filesystem::path& directory);
// The same of one that predicts links.
TrainedGraphClassifier load_link_predictor(const std::filesystem::path& directory);

}  // namespace heed::models
