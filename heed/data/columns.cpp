#include "heed/data/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr std::array<std::string_view, 10> kTextNames = {
    "text",     "sentence", "review", "content",  "message",
    "question", "comment",  "tweet",  "document", "body"};
constexpr std::array<std::string_view, 9> kLabelNames = {
    "label", "class", "category", "sentiment", "target", "tag", "intent", "polarity", "rating"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 0x20);
  }
  return result;
}

std::optional<size_t> place_of(const Row& header, std::string_view name) {
  for (size_t i = 0; i < header.cells.size(); ++i) {
    if (trimmed(header.cells[i]) == name) return i;
  }
  for (size_t i = 0; i < header.cells.size(); ++i) {
    if (lower(trimmed(header.cells[i])) == lower(name)) return i;
  }
  return std::nullopt;
}

std::optional<size_t> first_place_of(const Row& header, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto place = place_of(header, name)) return place;
  }
  return std::nullopt;
}

// "3" -> 2; none if it is no whole number.
std::optional<size_t> column_number(std::string_view column) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error != std::errc() || end != column.data() + column.size()) return std::nullopt;
  check_usage(number >= 1, "column 0: columns are counted from 1");
  return number - 1;
}

std::string list_of(const Row& row) {
  std::string list;
  for (size_t i = 0; i < row.cells.size() && i < 10; ++i) {
    if (!list.empty()) list += ", ";
    list += excerpt(row.cells[i], 30);
  }
  return list;
}

bool is_header(const Row& first, const ReadOptions& options) {
  if (options.header != Header::kAuto) return options.header == Header::kYes;
  for (const std::string& column : {options.text_column, options.label_column}) {
    if (!column.empty() && !column_number(column) && place_of(first, column)) return true;
  }
  return first_place_of(first, kTextNames) || first_place_of(first, kLabelNames);
}

// The column that an option names, or none if it names none.
std::optional<size_t> chosen(const std::string& column, const Row& first, bool header,
                             std::string_view file) {
  if (column.empty()) return std::nullopt;
  std::optional<size_t> place = header ? place_of(first, column) : std::nullopt;
  if (!place) place = column_number(column);
  check_usage(
      place && *place < first.cells.size(), file, ": no column ", excerpt(column), "; expected ",
      header ? "a name or number of the columns " : "a number of the columns ", list_of(first));
  return place;
}

// In a table of two columns the second follows from the first.
std::optional<size_t> other_of_two(const Row& first, std::optional<size_t> one) {
  if (!one || first.cells.size() != 2) return std::nullopt;
  return 1 - *one;
}

}  // namespace

std::span<const std::string_view> usual_text_names() { return kTextNames; }
std::span<const std::string_view> usual_label_names() { return kLabelNames; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\v\f";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

Columns columns_of(const Row& first, const ReadOptions& options, std::string_view file) {
  const bool header = is_header(first, options);
  const bool labelled = options.labels == Labels::kRequired;
  std::optional<size_t> text = chosen(options.text_column, first, header, file);
  std::optional<size_t> label =
      labelled ? chosen(options.label_column, first, header, file) : std::nullopt;
  if (header) {
    if (!text) text = first_place_of(first, kTextNames);
    if (!label && labelled) label = first_place_of(first, kLabelNames);
  } else if (!text && !label && first.cells.size() == 2) {
    text = 1;
    if (labelled) label = 0;
  }
  if (!text && !labelled && first.cells.size() == 1) text = 0;
  if (!text) text = other_of_two(first, label);
  if (!label && labelled) label = other_of_two(first, text);

  check_usage(text.has_value(), file, ": cannot tell which column holds the text: ", list_of(first),
              "; name it with text_column (--text-column)");
  check_usage(label || !labelled, file,
              ": cannot tell which column holds the label: ", list_of(first),
              "; name it with label_column (--label-column)");
  check_usage(text != label, file, ": text and label cannot both be column ", *text + 1);
  return {
      .text = *text, .label = label, .count = first.cells.size(), .first_row_is_header = header};
}

}  // namespace heed::data
