#include "heed/cli/writing/table_writer.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"

namespace heed::cli {
namespace {

using Path = std::vector<std::string>;

constexpr const char* kNumbered = "top";

bool is_of_objects(const OrderedJson& value) {
  return value.is_array() && !value.empty() && value[0].is_object();
}

void add_paths(const OrderedJson& value, const Path& path, std::vector<Path>& paths) {
  const bool numbered = path.back() == kNumbered && is_of_objects(value);
  if (!value.is_object() && !numbered) {
    paths.push_back(path);
    return;
  }
  size_t number = 0;
  for (const auto& [name, child] : value.items()) {
    Path longer = path;
    longer.push_back(numbered ? std::to_string(++number) : name);
    add_paths(child, longer, paths);
  }
}

// Null where a row lacks it.
const OrderedJson* found(const OrderedJson& row, const Path& path) {
  const OrderedJson* at = &row;
  for (const std::string& step : path) {
    if (at->is_object()) {
      const auto member = at->find(step);
      if (member == at->end()) return nullptr;
      at = &*member;
      continue;
    }
    size_t number = 0;
    std::from_chars(step.data(), step.data() + step.size(), number);
    if (!at->is_array() || number == 0 || number > at->size()) return nullptr;
    at = &(*at)[number - 1];
  }
  return at;
}

std::string text_of_value(const OrderedJson& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || is_of_objects(value)) return value.dump();
  return joined(value, " ", text_of_value);
}

std::string csv_cell(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string names_of(const OrderedJson& row) {
  return joined(row.items(), ", ", [](const auto& each) { return each.key(); });
}

}  // namespace

TableWriter::TableWriter(std::vector<std::string> columns, Form form,
                         std::function<void(const std::string&)> write)
    : columns_(std::move(columns)), form_(form), write_(std::move(write)) {}

void TableWriter::start(const OrderedJson& row) {
  if (columns_.empty()) {
    for (const auto& [name, value] : row.items()) columns_.push_back(name);
  }
  std::vector<std::string> names;
  for (const std::string& column : columns_) {
    const auto member = row.find(column);
    check_usage(member != row.end(), "--columns: no column ", excerpt(column), "; there are ",
                names_of(row));
    add_paths(*member, {column}, paths_);
  }
  for (const Path& path : paths_) names.push_back(joined(path, "."));
  write_line(names);
}

void TableWriter::add(const OrderedJson& row) {
  if (!has_started()) start(row);
  std::vector<std::string> cells;
  for (const Path& path : paths_) {
    const OrderedJson* value = found(row, path);
    cells.push_back(value == nullptr ? "" : text_of_value(*value));
  }
  write_line(cells);
}

void TableWriter::write_line(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += form_ == Form::kCsv ? ',' : '\t';
    line += form_ == Form::kCsv ? csv_cell(cells[i]) : printable(cells[i]);
  }
  if (line.empty() && form_ == Form::kCsv) line = "\"\"";  // readers pass over empty lines
  write_(line + "\n");
}

}  // namespace heed::cli
