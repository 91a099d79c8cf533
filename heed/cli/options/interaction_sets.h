// The options that commands for interactions of users and items have in common.
#pragma once

#include <string>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/interactions/interaction_data.h"
#include "heed/models/files/columns_json.h"

namespace heed::cli {

// Which columns a table of interactions has.
struct InteractionReading {
  std::string user_column;
  std::string item_column;

  void add_to(Options& command);

  // Reads a file, and says on the messages what was left out. `table`: of its options those that
  // add_table_options() adds. `known`: the columns that a model was trained with. Throws as
  // data::read_interactions does, DataError for what that reports.
  data::InteractionData read(const std::string& file, const ReadingOptions& table,
                             const TimedRows& rows, const models::DataColumns& known = {}) const;

  // The same without the rows that cannot be used, which `report` has then.
  data::InteractionData read_good_rows(const std::string& file, const ReadingOptions& table,
                                       const TimedRows& rows, const models::DataColumns& known,
                                       data::DataReport& report) const;

  data::ItemNames read_names(const std::string& file, const std::string& name_column,
                             const ReadingOptions& table, const TimedRows& rows) const;

 private:
  data::InteractionReadOptions options(const ReadingOptions& table, const TimedRows& rows) const;
};

}  // namespace heed::cli
