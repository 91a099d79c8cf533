#include "heed/models/files/columns_json.h"

#include <nlohmann/json.hpp>

namespace heed::models {

std::string column_of(const DataColumns& columns, const std::string& what) {
  const auto found = columns.find(what);
  return found == columns.end() ? "" : found->second;
}

OrderedJson columns_json(const DataColumns& columns) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [what, column] : columns) {
    if (!column.empty()) json["data_columns"][what] = column;
  }
  return json;
}

DataColumns columns_from(const JsonValue& config) {
  DataColumns columns;
  if (!config.has("data_columns")) return columns;
  const JsonValue all = config.at("data_columns");
  if (!all.json().is_object()) all.fail("an object of columns");
  for (const auto& each : all.json().items()) columns[each.key()] = all.at(each.key()).string();
  return columns;
}

}  // namespace heed::models
