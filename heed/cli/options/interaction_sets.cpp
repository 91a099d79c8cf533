#include "heed/cli/options/interaction_sets.h"

namespace heed::cli {

void InteractionReading::add_to(Options& command) {
  const std::string group = "Reading data";
  command.add("--user-column", user_column, "Column of the users, by name or number").group(group);
  command.add("--item-column", item_column, "Column of the items, by name or number").group(group);
}

data::InteractionReadOptions InteractionReading::options(const ReadingOptions& table,
                                                         const TimedRows& rows) const {
  const data::ReadOptions file = table.parsed();
  return {.encoding = file.encoding,
          .delimiter = file.delimiter,
          .user_column = user_column,
          .item_column = item_column,
          .time_column = rows.time_column,
          .skip_bad = rows.skip_bad,
          .limits = file.limits};
}

data::InteractionData InteractionReading::read(const std::string& file, const ReadingOptions& table,
                                               const TimedRows& rows,
                                               const models::DataColumns& known) const {
  data::DataReport report;
  data::InteractionData data = read_good_rows(file, table, rows, known, report);
  throw_or_warn(report);
  return data;
}

data::InteractionData InteractionReading::read_good_rows(const std::string& file,
                                                         const ReadingOptions& table,
                                                         const TimedRows& rows,
                                                         const models::DataColumns& known,
                                                         data::DataReport& report) const {
  data::InteractionReadOptions reading = options(table, rows);
  reading.known_user_column = models::column_of(known, "user");
  reading.known_item_column = models::column_of(known, "item");
  reading.known_time_column = models::column_of(known, "time");
  data::InteractionData data = data::read_interactions(file, reading, report);
  say_count(data.file, data.left_out, kRowsLeftOut);
  return data;
}

data::ItemNames InteractionReading::read_names(const std::string& file,
                                               const std::string& name_column,
                                               const ReadingOptions& table,
                                               const TimedRows& rows) const {
  data::DataReport report;
  data::InteractionReadOptions reading = options(table, rows);
  reading.delimiter = '\0';  // of the other file
  data::ItemNames names = data::read_item_names(file, reading, name_column, report);
  throw_or_warn(report);
  return names;
}

}  // namespace heed::cli
