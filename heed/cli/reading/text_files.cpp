#include "heed/cli/reading/text_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "heed/base/error.h"
#include "heed/cli/common.h"
#include "heed/data/json_lines.h"
#include "heed/data/rows.h"
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

std::string answer_in(const JsonValue& object) {
  for (const char* name : {"output", "answer", "text"}) {
    if (!object.json().contains(name)) continue;
    return object.has(name) ? object.at(name).string() : std::string();
  }
  return object.at("output").string();  // throws, naming it
}

// The answers of a table that heed predict writes, told by its header; none of any other table.
std::optional<std::vector<std::string>> column_of_answers(const std::string& file,
                                                          const data::FileLayout& kind) {
  if (!std::filesystem::is_regular_file(file)) return std::nullopt;  // cannot be read once more
  data::DataReport report;
  data::TextLines lines(file, {.limits = data::Limits()}, report);
  const auto rows = data::rows_of(lines, kind);
  data::Row row;
  if (!rows->next(row)) return std::nullopt;
  const auto is_answer = [](const std::string& cell) {
    return cell == "output" || cell == "answer";
  };
  const auto found = std::find_if(row.cells.begin(), row.cells.end(), is_answer);
  if (found == row.cells.end()) return std::nullopt;
  const auto column = static_cast<size_t>(found - row.cells.begin());
  std::vector<std::string> answers;
  while (rows->next(row)) answers.push_back(column < row.cells.size() ? row.cells[column] : "");
  throw_or_warn(report);
  return answers;
}

}  // namespace

std::vector<std::string> answers_of(const std::string& file) {
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
  // Of a table with few of the usual names only a file's own name says that it is CSV.
  const bool is_table = kind.format == data::Format::kTsv || kind.format == data::Format::kCsv;
  const data::FileLayout commas{.format = data::Format::kCsv, .delimiter = ','};
  if (auto column = column_of_answers(file, is_table ? kind : commas)) return *std::move(column);
  for (std::string line; reader.next(line);) answers.push_back(line);
  throw_or_warn(report);
  const bool with_probabilities =
      !answers.empty() && std::all_of(answers.begin(), answers.end(), [](const std::string& line) {
        return answer_size(line) != std::string::npos;
      });
  if (with_probabilities) {
    std::cerr << "heed: " << printable(file)
              << ": the probability behind each answer is left out\n";
    for (std::string& answer : answers) answer.resize(answer_size(answer));
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
