// The columns that a model was trained with, in config.json.
#pragma once

#include <string>

#include "heed/io/json.h"

namespace heed::models {

// Names or numbers, as the training files had them; empty: they had none.
struct DataColumns {
  std::string text;   // or source
  std::string label;  // or target
};

// "data_columns": {"text": …, "label": …}, or nothing; to be put among the fields of the config.
inline OrderedJson columns_json(const DataColumns& columns) {
  if (columns.text.empty() && columns.label.empty()) return OrderedJson::object();
  return {{"data_columns", {{"text", columns.text}, {"label", columns.label}}}};
}

inline DataColumns columns_from(const JsonValue& config) {
  if (!config.has("data_columns")) return {};
  const JsonValue columns = config.at("data_columns");
  return {.text = columns.at("text").string(), .label = columns.at("label").string()};
}

}  // namespace heed::models
