#include "heed/data/columns.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/data/open_table.h"
#include "heed/io/named.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr NameTable<Header, 3> kHeaders = {
    {{"auto", Header::kAuto}, {"yes", Header::kYes}, {"no", Header::kNo}}};

std::optional<size_t> place_of(const Row& header, std::string_view name) {
  for (size_t i = 0; i < header.cells.size(); ++i) {
    if (trimmed(header.cells[i]) == name) return i;
  }
  for (size_t i = 0; i < header.cells.size(); ++i) {
    if (lower_case_of(trimmed(header.cells[i])) == lower_case_of(name)) return i;
  }
  return std::nullopt;
}

std::string list_of(const Row& row) {
  constexpr size_t kShown = 10;
  std::string list;
  for (size_t i = 0; i < row.cells.size() && i < kShown; ++i) {
    if (!list.empty()) list += ", ";
    list += excerpt(row.cells[i], 30);
  }
  if (row.cells.size() > kShown) list += text_of(", ... (", row.cells.size(), " in all)");
  return list;
}

// Where a header has a role by a name that is not only usual.
std::optional<size_t> named_place(const Row& first, const ColumnRole& role) {
  for (const std::string& name : {role.chosen, role.known}) {
    if (name.empty() || column_number(name, role.option)) continue;
    if (const auto place = place_of(first, name)) return place;
  }
  return std::nullopt;
}

std::optional<size_t> usual_place(const Row& first, const ColumnRole& role) {
  for (const std::string_view name : role.usual) {
    if (const auto place = place_of(first, name)) return place;
  }
  return std::nullopt;
}

bool is_numbered(const ColumnRole& role) {
  return column_number(role.chosen, role.option).has_value();
}

// A word that could name a column.
bool is_name(std::string_view cell) {
  cell = trimmed(cell);
  return !cell.empty() && cell.size() <= 40 && cell.find_first_of(" .,;:!?") == cell.npos;
}

bool is_header(const Row& first, const ColumnRules& rules) {
  if (rules.header != Header::kAuto) return rules.header == Header::kYes;
  const bool has_label_name = rules.label.wanted && named_place(first, rules.label);
  if (named_place(first, rules.text) || has_label_name) return true;
  const bool text = usual_place(first, rules.text).has_value();
  const bool label = usual_place(first, rules.label).has_value();
  if (rules.label.wanted) {
    return (text || label) && (text || is_numbered(rules.text)) &&
           (label || is_numbered(rules.label));
  }
  if (!text || label) return text;
  return std::all_of(first.cells.begin(), first.cells.end(), [&](const std::string& cell) {
    return is_name(cell) &&
           std::find(rules.labels.begin(), rules.labels.end(), trimmed(cell)) == rules.labels.end();
  });
}

// The column that is chosen, or none if none is.
std::optional<size_t> chosen_place(const ColumnRole& role, const Row& first, bool header,
                                   std::string_view file) {
  if (role.chosen.empty()) return std::nullopt;
  std::optional<size_t> place = header ? place_of(first, role.chosen) : std::nullopt;
  if (!place) place = column_number(role.chosen, role.option);
  check_usage(place && *place < first.cells.size(), file, ": no column ", excerpt(role.chosen),
              " (", role.option, "); expected ",
              header ? "a name or number of the columns " : "a number of the columns ",
              list_of(first));
  return place;
}

// A column that training was told, and that is not here.
void refuse_lost(const ColumnRole& role, const Row& first, std::string_view file) {
  check_usage(role.lost != ColumnRole::Lost::kRefused, file, ": no column ", excerpt(role.known),
              ", which the model was trained with; name another one with ", role.option, ": ",
              list_of(first));
}

std::optional<size_t> place_for(const ColumnRole& role, const Row& first, bool header,
                                std::string_view file) {
  if (const auto chosen = chosen_place(role, first, header, file)) return chosen;
  const auto number = column_number(role.known, role.option);
  if (header) {
    if (const auto named = named_place(first, role)) return named;
    const bool told = role.known.empty() || number || is_among(role.known, role.usual);
    if (!told) refuse_lost(role, first, file);
    return usual_place(first, role);
  }
  if (number && *number < first.cells.size()) return number;
  if (number) refuse_lost(role, first, file);
  const auto usual = column_number(role.number, role.option);
  return usual && *usual < first.cells.size() ? usual : std::nullopt;
}

// In a table of two columns the second follows from the first.
std::optional<size_t> other_of_two(const Row& first, std::optional<size_t> one) {
  if (!one || first.cells.size() != 2) return std::nullopt;
  return 1 - *one;
}

std::string name_for(const ColumnRole& role, const Row& first, size_t place, bool header) {
  if (header) return std::string(trimmed(first.cells[place]));
  const bool numbered = is_numbered(role) || column_number(role.known, role.option);
  return numbered ? std::to_string(place + 1) : "";
}

void note_columns(const Columns& columns, const ColumnRules& rules, const Row& first,
                  TextLines& lines, const FileLayout& kind) {
  const auto place = [&](const ColumnRole& role, size_t column) {
    return columns.first_row_is_header
               ? text_of(role.what, " in column ", excerpt(trimmed(first.cells[column]), 40))
               : text_of(role.what, " in column ", column + 1);
  };
  std::string note = text_of("columns with ", described(kind.delimiter), " between them, ",
                             columns.first_row_is_header ? "the first row names them" : "no header",
                             "; ", place(rules.text, columns.text));
  if (columns.label) note += ", " + place(rules.label, *columns.label);
  lines.note(note);
}

}  // namespace

std::optional<size_t> column_number(std::string_view column, std::string_view option) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error != std::errc() || end != column.data() + column.size()) return std::nullopt;
  check_usage(number >= 1, option, ": expected a name or the number of a column from 1, got 0");
  return number - 1;
}

Header header_named(std::string_view name) { return value_named(kHeaders, name, "header"); }

std::vector<std::string> header_names() { return names_in(kHeaders); }

Columns columns_of(const Row& first, const ColumnRules& rules, TextLines& lines,
                   const FileLayout& kind) {
  const std::string& file = lines.file();
  const bool header = is_header(first, rules);
  const bool labelled = rules.label.wanted;
  std::optional<size_t> text = place_for(rules.text, first, header, file);
  std::optional<size_t> label =
      labelled ? place_for(rules.label, first, header, file) : std::nullopt;
  if (!text && !label && first.cells.size() == 2) {
    text = rules.text.place;
    if (labelled) label = rules.label.place;
  }
  if (!text && !labelled && first.cells.size() == 1) text = 0;
  if (!text) text = other_of_two(first, label);
  if (!label && labelled) label = other_of_two(first, text);

  for (const auto& [place, role] : {std::pair(text, &rules.text), std::pair(label, &rules.label)}) {
    check_usage(place || !role->wanted, file, ": cannot tell which column holds the ", role->what,
                ": ", list_of(first), "; name it with ", role->option,
                header ? "" : ", and say --header yes if this row names the columns");
  }
  check_usage(text != label, file, ": ", rules.text.what, " and ", rules.label.what,
              " cannot both be column ", *text + 1);
  Columns columns = {.text = *text,
                     .label = label,
                     .count = first.cells.size(),
                     .first_row_is_header = header,
                     .text_name = name_for(rules.text, first, *text, header)};
  if (label) columns.label_name = name_for(rules.label, first, *label, header);
  note_columns(columns, rules, first, lines, kind);
  return columns;
}

std::string member_of(const JsonValue& object, const ColumnRole& role) {
  if (!role.chosen.empty()) return role.chosen;
  const Json& json = object.json();
  if (!role.known.empty() && json.contains(role.known)) return role.known;
  for (const std::string_view name : role.usual) {
    if (json.contains(name)) return std::string(name);
  }
  return {};
}

}  // namespace heed::data
