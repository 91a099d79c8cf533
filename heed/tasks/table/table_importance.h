// Which columns a model of tables leans on, said in two ways.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/tasks/table/table_learning.h"

namespace heed::tasks {

struct ColumnImportance {
  std::string name;
  // The share of attention that the column gets from the token that reads them all: the mean over
  // rows, layers and heads; all columns together have 1.         Gorishniy et al. 2021, section 5.3
  double attention = 0;
  // What accuracy, or R² of a number, loses where the cells of the column are shuffled among the
  // rows: the mean of several shuffles, and their standard deviation.     Breiman 2001, section 10
  double permutation = 0;
  double deviation = 0;
};

// Of the columns in their order. `shuffles`: of each; 0: attention alone.
struct ImportanceOptions {
  int64_t shuffles = 5;
  uint64_t seed = 1;
};
std::vector<ColumnImportance> column_importance(const models::TrainedTable& trained,
                                                const EncodedTable& table,
                                                const data::TableColumn& target,
                                                const ImportanceOptions& options,
                                                const Progress& progress = {});

}  // namespace heed::tasks
