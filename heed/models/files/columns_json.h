// The columns that a model was trained with, in config.json.
#pragma once

#include <map>
#include <string>

#include "heed/io/json.h"

namespace heed::models {

// What stands in them ("text", "label"; "source"; "user" …) -> their names or numbers, as the
// training files had them. None or empty: they had none.
using DataColumns = std::map<std::string, std::string>;

std::string column_of(const DataColumns& columns, const std::string& what);

// "data_columns": {"text": …, "label": …}, or nothing; to be put among the fields of the config.
OrderedJson columns_json(const DataColumns& columns);
DataColumns columns_from(const JsonValue& config);

}  // namespace heed::models
