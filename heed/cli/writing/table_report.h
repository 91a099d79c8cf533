// How well a column of a table is told, and by which others, as text and as JSON.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "heed/io/json.h"
#include "heed/tasks/table/table_importance.h"

namespace heed::cli {

// The model and each baseline, a line each, and whether one of them is at least as good.
std::string table_report(const tasks::TableScores& model,
                         const std::vector<std::pair<std::string, tasks::TableScores>>& baselines);

// A line for each column, the one whose shuffling costs most first. `score`: what it is lost of.
std::string importance_report(const std::vector<tasks::ColumnImportance>& columns,
                              const std::string& score);

// [{"column": …, "attention": …, "permutation": …, "deviation": …}] in the order of the columns.
OrderedJson importance_json(const std::vector<tasks::ColumnImportance>& columns);

}  // namespace heed::cli
