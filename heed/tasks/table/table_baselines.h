// What a sceptic would try first on a table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "heed/tasks/table/table_learning.h"

namespace heed::tasks {

// Fitted on the rows that train, measured on others. "constant": the commonest class, or the mean;
// "linear": least squares with a small penalty, from the numbers as the model scales them, gaps and
// categories as zeros and ones. Left out where there are too many categories for it.
std::vector<std::pair<std::string, TableScores>> table_baselines(
    const models::TrainedTable& trained, const data::TableData& train,
    const data::TableData& measured);

}  // namespace heed::tasks
