#include "heed/cli/reading/text_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/common.h"
#include "heed/data/json_lines.h"
#include "heed/io/printable.h"

namespace heed::cli {

std::vector<std::string> lines_of(const std::string& file) {
  data::DataReport report;
  data::TextLines reader(file, {.limits = data::Limits()}, report);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  throw_or_warn(report);
  return lines;
}

std::vector<AskedLine> asked_lines(const std::vector<std::string>& files,
                                   data::DataReport& report) {
  std::vector<AskedLine> all;
  for (const std::string& file : files) {
    data::TextLines reader(file, {.limits = data::Limits()}, report);
    const auto where = [&](int64_t line) { return text_of(reader.file(), ":", line); };
    int64_t last = 0;
    std::string line;
    for (bool more = true; more;) {
      more = reader.next(line);
      const int64_t now = reader.line_number() + (more ? 0 : 1);
      // Lines that are no text were passed over.
      while (++last < now) all.push_back({.text = std::nullopt, .where = where(last)});
      if (more) all.push_back({.text = line, .where = where(now)});
    }
  }
  return all;
}

namespace {

// "attic\t0.9812" -> 5; npos without a probability behind the last tab.
size_t answer_size(const std::string& line) {
  const size_t tab = line.rfind('\t');
  if (tab == std::string::npos) return tab;
  double probability = -1;
  const char* end = line.data() + line.size();
  const auto [last, error] = std::from_chars(line.data() + tab + 1, end, probability);
  const bool is_one = error == std::errc() && last == end && probability >= 0 && probability <= 1 &&
                      line.find('.', tab) != std::string::npos;
  return is_one ? tab : std::string::npos;
}

// "a.wav\tgood day" -> 5; npos without a tab, or with several.
size_t only_tab(const std::string& line) {
  const size_t tab = line.find('\t');
  return tab == line.rfind('\t') ? tab : std::string::npos;
}

constexpr std::array<const char*, 3> kAnswerNames = {"output", "answer", "text"};

std::string answer_in(const JsonValue& object) {
  for (const char* name : kAnswerNames) {
    if (!object.json().contains(name)) continue;
    return object.has(name) ? object.at(name).string() : std::string();
  }
  if (object.json().contains("error")) return {};  // an input that had no answer
  return object.at("output").string();             // throws, naming it
}

// The lines of a file as they stand.
struct WholeFile {
  std::string name;
  data::FileLayout kind;
  std::vector<std::string> lines;
  bool has_faults;
};

WholeFile rest_of(data::TextLines& reader, const std::string& file, const data::FileLayout& kind,
                  const data::DataReport& report) {
  WholeFile whole{.name = file, .kind = kind, .lines = {}, .has_faults = false};
  for (std::string line; reader.next(line);) whole.lines.push_back(line);
  whole.has_faults = report.fatal_count() > 0;
  return whole;
}

std::vector<data::Row> rows_in(const std::string& file, const data::FileLayout& kind,
                               data::DataReport& report) {
  data::TextLines lines(file, {.limits = data::Limits()}, report);
  const auto reader = data::rows_of(lines, kind);
  std::vector<data::Row> rows;
  for (data::Row row; reader->next(row);) rows.push_back(row);
  return rows;
}

constexpr data::FileLayout kCommas{.format = data::Format::kCsv, .delimiter = ','};

// Whether rows of one cell were written as CSV: quoted where a comma, a quote or a line break
// wants it, and nowhere else. If not, a comma is a part of the text.
bool are_quoted(const std::vector<data::Row>& rows, const std::vector<std::string>& lines) {
  bool quoted = false;
  for (const data::Row& row : rows) {
    if (row.cells.size() != 1) return false;
    if (!lines[static_cast<size_t>(row.line) - 1].starts_with('"')) continue;
    const std::string& cell = row.cells[0];
    if (!cell.empty() && cell.find_first_of(",\"\r\n") == std::string::npos) return false;
    quoted = true;
  }
  return quoted;
}

// A column alone. Nothing between cells says what the file is, and an empty line is an empty cell.
std::vector<data::Row> only_column(const WholeFile& file) {
  data::DataReport faults;
  std::vector<data::Row> rows = rows_in(file.name, kCommas, faults);
  if (file.kind.format == data::Format::kCsv ||
      (faults.fatal_count() == 0 && are_quoted(rows, file.lines))) {
    throw_or_warn(faults);
    return rows;
  }
  rows.clear();
  for (const std::string& line : file.lines) {
    rows.push_back({.cells = {line}, .line = std::ssize(rows) + 1});
  }
  return rows;
}

// As columns_of() below. Only a table that may have these columns is read again.
std::optional<std::vector<data::Row>> columns_in(const WholeFile& file,
                                                 const std::vector<std::string>& names) {
  const std::vector<std::string>& lines = file.lines;
  if (lines.empty() || file.has_faults) return std::nullopt;
  if (!std::filesystem::is_regular_file(file.name)) return std::nullopt;  // is not there again
  if (names.size() == 1 && lines[0] == names[0]) {
    std::vector<data::Row> rows = only_column(file);
    rows.erase(rows.begin());
    return rows;
  }
  const auto heading =
      std::find_if(lines.begin(), lines.end(), [](const auto& line) { return !line.empty(); });
  const auto stands_there = [&](const std::string& name) {
    return heading != lines.end() && heading->find(name) != std::string::npos;
  };
  if (!std::all_of(names.begin(), names.end(), stands_there)) return std::nullopt;
  const bool tabs = lines[0].find('\t') != std::string::npos;
  // Words below each other, with an empty line behind each sentence, may have a heading too.
  const bool blank = std::find(lines.begin(), lines.end(), "") != lines.end();
  if (names.size() > 1 && tabs && blank) return std::nullopt;
  // Of a table with few of the usual names only a file's own name says what it is.
  data::FileLayout kind = file.kind;
  if (kind.format != data::Format::kTsv && kind.format != data::Format::kCsv) {
    kind = tabs ? data::FileLayout{.format = data::Format::kTsv, .delimiter = '\t'} : kCommas;
  }
  data::DataReport faults;  // of a table, which this need not be
  std::vector<data::Row> rows = rows_in(file.name, kind, faults);
  std::vector<size_t> columns;
  for (const std::string& name : names) {
    const auto& header = rows.empty() ? std::vector<std::string>() : rows[0].cells;
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) return std::nullopt;
    columns.push_back(static_cast<size_t>(found - header.begin()));
  }
  throw_or_warn(faults);
  rows.erase(rows.begin());
  for (data::Row& row : rows) {
    std::vector<std::string> cells;
    for (const size_t column : columns) {
      cells.push_back(column < row.cells.size() ? row.cells[column] : "");
    }
    row.cells = std::move(cells);
  }
  return rows;
}

}  // namespace

std::optional<std::vector<data::Row>> columns_of(const std::string& file,
                                                 const std::vector<std::string>& names) {
  if (!std::filesystem::is_regular_file(file)) return std::nullopt;  // is read once more
  data::DataReport report;
  data::TextLines reader(file, {.limits = data::Limits()}, report);
  const data::FileLayout kind = reader.kind(data::Format::kAuto);
  return columns_in(rest_of(reader, file, kind, report), names);
}

std::vector<std::string> answers_of(const std::string& file, Before before) {
  data::DataReport report;
  data::TextLines reader(file, {.limits = data::Limits()}, report);
  const data::FileLayout kind = reader.kind(data::Format::kAuto);
  std::vector<std::string> answers;
  if (kind.format == data::Format::kJsonl || kind.format == data::Format::kJson) {
    data::read_json_objects(reader, kind, [&](const JsonValue& object, int64_t /*line*/) {
      answers.push_back(answer_in(object));
    });
    throw_or_warn(report);
    return answers;
  }
  WholeFile whole = rest_of(reader, file, kind, report);
  for (const char* name : kAnswerNames) {
    const auto column = columns_in(whole, {name});
    if (!column) continue;
    for (const data::Row& row : *column) answers.push_back(row.cells[0]);
    return answers;
  }
  answers = std::move(whole.lines);
  throw_or_warn(report);
  // Lines of inputs that had no answer are empty.
  const auto all_have = [&](const auto& place) {
    size_t found = 0;
    for (const std::string& line : answers) {
      if (place(line) != std::string::npos) {
        ++found;
      } else if (!line.empty()) {
        return false;
      }
    }
    return found > 0;
  };
  const auto say = [&](const char* what) {
    std::cerr << "heed: " << printable(file) << ": the " << what << " each answer is left out\n";
  };
  if (before == Before::kFile && all_have(only_tab)) {
    say("name of a file before");
    for (std::string& line : answers) line.erase(0, line.find('\t') + 1);
  } else if (all_have(answer_size)) {
    say("probability behind");
    for (std::string& line : answers) line.resize(std::min(answer_size(line), line.size()));
  }
  return answers;
}

void check_line_counts(const std::string& file, size_t lines, const std::string& other,
                       size_t other_lines) {
  if (lines == other_lines) return;
  throw DataError(other, text_of("expected ", lines, " lines as in ", file, ", found ", other_lines,
                                 "; line n of both must belong together"));
}

void print_values(const nlohmann::ordered_json& values, bool json) {
  if (json) {
    std::cout << values.dump() << '\n';
    return;
  }
  for (const auto& [name, value] : values.items()) {
    if (value.is_object()) continue;  // for programs
    if (value.is_number_float()) {
      char buffer[32];
      std::snprintf(buffer, sizeof buffer, "%.4f", value.get<double>());
      std::cout << name << '\t' << buffer << '\n';
    } else {
      std::cout << name << '\t' << value.dump() << '\n';
    }
  }
}

}  // namespace heed::cli
