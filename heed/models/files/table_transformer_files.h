// A trained transformer over tables as a directory: config.json and model.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/table_transformer.h"

namespace heed::models {

// A column that the model reads, and how its cells become what the model sees. All numbers are
// those of the training part.
struct TableFeature {
  std::string name;
  bool is_category = false;
  // Of categories: those with a vector of their own. Before them stand, for each column, the vector
  // of a gap and that of all other categories.
  std::vector<std::string> categories = {};
  // Of numbers.
  double middle = 0;                // the median, which stands for a gap
  double mean = 0;                  // a number is standardised with these, or,
  double deviation = 1;             // where there are some,
  std::vector<double> values = {};  // becomes the score of the value that it is, or a mean of two;
  std::vector<double> scores = {};  // beyond the ends, that of the end
  std::vector<double> bins = {};    // edges, rising: at most num_bins + 1

  int64_t vectors() const { return static_cast<int64_t>(categories.size()) + 2; }
};

struct TrainedTable {
  std::shared_ptr<TableTransformer> model;
  std::vector<TableFeature> columns;     // of numbers, then of categories: the model's tokens
  std::string target;                    // the column that is told
  std::vector<std::string> labels = {};  // its classes; none: it is a number, standardised with
  double target_mean = 0;                // these
  double target_deviation = 1;
  std::vector<std::string> missing_values = {};  // cells that are gaps

  bool is_regression() const { return labels.empty(); }
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedTable& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedTable load_table_transformer(const std::filesystem::path& directory);

}  // namespace heed::models
