// Values that have names: a table says what is called how, and what looks names up, lists them in
// messages and offers them as choices follows it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/utf8.h"

namespace heed {

template <typename Value, size_t N>
using NameTable = std::array<std::pair<std::string_view, Value>, N>;

template <typename Value, size_t N>
std::vector<std::string> names_in(const NameTable<Value, N>& table) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) names.emplace_back(name);
  return names;
}

// Throws UsageError for a name that is not in the table, calling it `what` ("encoding").
template <typename Value, size_t N>
Value value_named(const NameTable<Value, N>& table, std::string_view name, const char* what) {
  for (const auto& [known, value] : table) {
    if (name == known) return value;
  }
  throw UsageError(
      text_of(what, ' ', excerpt(name), ": expected one of ", joined(names_in(table))));
}

// "" for a value that is not in the table.
template <typename Value, size_t N>
std::string_view name_in(const NameTable<Value, N>& table, Value value) {
  for (const auto& [name, known] : table) {
    if (value == known) return name;
  }
  return "";
}

}  // namespace heed
