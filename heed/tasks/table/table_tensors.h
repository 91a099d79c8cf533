// The rows of a table as a TableTransformer reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/data/tables/table_data.h"
#include "heed/models/files/table_transformer_files.h"

namespace heed::tasks {

// How a number becomes a feature.
struct NumberOptions {
  // "quantile": the score that a normal distribution has where so many numbers of the training part
  // are smaller; "standard": mean 0, deviation 1.
  std::string scaling = "quantile";
  int64_t num_bins = 16;
  int64_t min_frequency = 2;  // of a category that gets a vector of its own
};
std::vector<std::string> scaling_names();

// What the columns become, told by the rows that train: those of numbers, then those of categories.
std::vector<models::TableFeature> features_of(const data::TableData& data,
                                              const NumberOptions& options);

// Rows by the columns of a model: numbers as they are, categories as places among all vectors.
struct EncodedTable {
  std::vector<std::vector<double>> numbers;      // (Fn, N); NaN: a gap
  std::vector<std::vector<int64_t>> categories;  // (Fc, N)
  int64_t rows = 0;
  int64_t unseen = 0;  // cells with a category that has no vector of its own
};

// Throws UsageError where a column is not there.
EncodedTable encode(const std::vector<models::TableFeature>& columns, const data::TableData& data);

// These rows.
models::TableBatch table_batch(const std::vector<models::TableFeature>& columns, int64_t num_bins,
                               const EncodedTable& table, const std::vector<int64_t>& rows);

// For each vector of the categories, whether it is that of a gap or of what has none of its own.
std::vector<bool> shared_vectors(const std::vector<models::TableFeature>& columns);

}  // namespace heed::tasks
