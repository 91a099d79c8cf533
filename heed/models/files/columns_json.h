// The columns that a model was trained with, in config.json.
#pragma once

#include <map>
#include <string>

#include "heed/io/json.h"

namespace heed::models {

// What stands in them ("text", "label"; "source"; "user" …) -> their names or numbers, as the
// training files had them. None or empty: they had none.
using DataColumns = std::map<std::string, std::string>;

inline std::string column_of(const DataColumns& columns, const std::string& what) {
  const auto found = columns.find(what);
  return found == columns.end() ? "" : found->second;
}

// "data_columns": {"text": …, "label": …}, or nothing; to be put among the fields of the config.
inline OrderedJson columns_json(const DataColumns& columns) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [what, column] : columns) {
    if (!column.empty()) json["data_columns"][what] = column;
  }
  return json;
}

inline DataColumns columns_from(const JsonValue& config) {
  DataColumns columns;
  if (!config.has("data_columns")) return columns;
  const JsonValue all = config.at("data_columns");
  if (!all.json().is_object()) all.fail("an object of columns");
  for (const auto& each : all.json().items()) columns[each.key()] = all.at(each.key()).string();
  return columns;
}

}  // namespace heed::models
