#include "heed/data/table_column.h"

#include <algorithm>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr std::string_view kNoColumn = "none";

std::optional<size_t> named_cell(const OpenTable& table, std::string_view name) {
  const auto& cells = table.first().cells;
  const auto at = std::find_if(cells.begin(), cells.end(),
                               [&](const std::string& cell) { return trimmed(cell) == name; });
  return at == cells.end() ? std::nullopt : std::optional<size_t>(at - cells.begin());
}

std::optional<size_t> numbered_cell(const OpenTable& table, const WantedColumn& column,
                                    std::string_view number) {
  const auto place = column_number(number, column.option);
  return place && *place < table.first().cells.size() ? place : std::nullopt;
}

size_t chosen_cell(const WantedColumn& column, const OpenTable& table, bool header) {
  auto place = header ? named_cell(table, column.chosen) : std::nullopt;
  if (!place) place = numbered_cell(table, column, column.chosen);
  check_usage(place.has_value(), table.file(), ": no column ", excerpt(column.chosen, 40), " (",
              column.option, "); expected ", header ? "a name of the header or " : "",
              "a number from 1 to ", table.first().cells.size());
  return *place;
}

std::optional<size_t> usual_cell(const WantedColumn& column, const OpenTable& table, bool header) {
  const auto& cells = table.first().cells;
  if (!header) {
    const auto& place = column.without_header;
    return place && *place < cells.size() ? place : std::nullopt;
  }
  const auto at = std::find_if(cells.begin(), cells.end(), [&](const std::string& cell) {
    return is_among(cell, column.usual);
  });
  return at == cells.end() ? std::nullopt : std::optional<size_t>(at - cells.begin());
}

std::optional<size_t> told_cell(const WantedColumn& column, const OpenTable& table, bool header) {
  if (column.known.empty()) return usual_cell(column, table, header);
  const bool number = column_number(column.known, column.option).has_value();
  const auto place =
      header ? named_cell(table, column.known) : numbered_cell(table, column, column.known);
  if (place) return place;
  // Told in training too, or of a table of the other kind.
  if (header == number || (header && is_among(column.known, column.usual))) {
    return usual_cell(column, table, header);
  }
  check_usage(column.lost != ColumnRole::Lost::kRefused, table.file(), ": no column ",
              excerpt(column.known, 40), ", which the model was trained with; name another one ",
              "with ", column.option);
  return std::nullopt;
}

}  // namespace

FoundColumn find_column(const WantedColumn& column, const OpenTable& table, bool header) {
  const std::string_view said = column.chosen.empty() ? column.known : column.chosen;
  if (said == kNoColumn) return {.place = std::nullopt, .name = std::string(kNoColumn)};
  FoundColumn found;
  found.place =
      column.chosen.empty() ? told_cell(column, table, header) : chosen_cell(column, table, header);
  if (!found.place) return found;
  if (header) {
    found.name = trimmed(table.first().cells[*found.place]);
  } else if (column_number(said, column.option)) {
    found.name = std::to_string(*found.place + 1);
  }
  return found;
}

bool names_column(const OpenTable& table, std::string_view chosen, std::string_view known) {
  const std::string_view said = chosen.empty() ? known : chosen;
  const bool number = said.find_first_not_of("0123456789") == said.npos;  // or nothing at all
  return !number && said != kNoColumn && named_cell(table, said).has_value();
}

}  // namespace heed::data
