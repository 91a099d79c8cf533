#include "heed/data/parallel_data.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/data/json_lines.h"
#include "heed/data/rows.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr std::array<std::string_view, 6> kSourceNames = {"source",  "src",      "input",
                                                          "article", "document", "text"};
constexpr std::array<std::string_view, 5> kTargetNames = {"target", "tgt", "output", "summary",
                                                          "highlights"};

class Collector {
 public:
  Collector(TextLines& lines, const ParallelReadOptions& options)
      : lines_(lines), options_(options) {}

  bool wants_targets() const { return options_.targets == Labels::kRequired; }

  void add(int64_t line, std::string source, std::string target) {
    const bool no_source = trimmed(source).empty();
    if (wants_targets() && (no_source || trimmed(target).empty())) {
      lines_.report(ProblemKind::kEmptyText, line,
                    text_of("expected two texts, found an empty ", no_source ? "source" : "target",
                            "; the pair is left out"));
      return;
    }
    pairs_.push_back({std::move(source), std::move(target), line});
  }

  ParallelData finish() {
    if (pairs_.empty() && wants_targets()) {
      lines_.report(ProblemKind::kNoExamples, 0, "expected at least one pair of texts");
    }
    return {.file = lines_.file(), .pairs = std::move(pairs_)};
  }

 private:
  TextLines& lines_;
  const ParallelReadOptions& options_;
  std::vector<TextPair> pairs_;
};

// All usable lines of a file by their numbers, and how many lines it has.
struct NumberedLines {
  std::map<int64_t, std::string> lines;
  int64_t count = 0;
};

NumberedLines numbered(TextLines& lines) {
  NumberedLines all;
  for (std::string line; lines.next(line);) all.lines.emplace(lines.line_number(), line);
  all.count = lines.line_number();
  return all;
}

void read_two_files(TextLines& sources, TextLines& targets, Collector& collector) {
  NumberedLines source = numbered(sources);
  NumberedLines target = numbered(targets);
  if (source.count != target.count) {
    targets.report(ProblemKind::kLineCount, 0,
                   text_of("expected ", source.count, " lines as in ", sources.file(), ", found ",
                           target.count));
    return;
  }
  for (auto& [line, text] : source.lines) {
    const auto other = target.lines.find(line);
    if (other != target.lines.end()) {
      collector.add(line, std::move(text), std::move(other->second));
    }
  }
}

std::optional<size_t> place_of(const Row& header, std::string_view name) {
  for (size_t i = 0; i < header.cells.size(); ++i) {
    if (trimmed(header.cells[i]) == name) return i;
  }
  return std::nullopt;
}

std::optional<size_t> usual_place(const Row& header, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto place = place_of(header, name)) return place;
  }
  return std::nullopt;
}

// The place of a column that is named, numbered, or has a usual name; `header` is set where the
// first row turned out to be one.
size_t column_of(const Row& first, const std::string& column,
                 std::span<const std::string_view> names, size_t otherwise, bool& header) {
  if (column.empty()) {
    const auto place = usual_place(first, names);
    if (place) header = true;
    return place.value_or(otherwise);
  }
  if (const auto place = place_of(first, column)) {
    header = true;
    return *place;
  }
  size_t number = 0;
  const char* end = column.data() + column.size();
  const auto [last, error] = std::from_chars(column.data(), end, number);
  check_usage(error == std::errc() && last == end && number >= 1, "column ", excerpt(column),
              ": expected a name of the first row or a number from 1");
  return number - 1;
}

void read_table(TextLines& lines, Format format, const ParallelReadOptions& options,
                Collector& collector) {
  const std::unique_ptr<Rows> rows = rows_of(lines, format);
  size_t source = 0;
  size_t target = 1;
  size_t count = 0;
  for (Row row; rows->next(row);) {
    if (count == 0) {
      count = row.cells.size();
      bool header = false;
      source = column_of(row, options.source_column, kSourceNames, 0, header);
      target = column_of(row, options.target_column, kTargetNames, 1, header);
      const size_t needed = collector.wants_targets() ? std::max(source, target) : source;
      check_usage(needed < count, lines.file(), ": expected at least ", needed + 1,
                  " columns, found ", count, "; name them with source_column and target_column");
      check_usage(source != target || !collector.wants_targets(), lines.file(),
                  ": source and target cannot both be column ", source + 1);
      if (header) continue;
    }
    if (row.cells.size() != count) {
      lines.report(
          ProblemKind::kColumnCount, row.line,
          text_of("expected ", count, " columns as in the first row, found ", row.cells.size()));
      continue;
    }
    collector.add(row.line, row.cells[source],
                  collector.wants_targets() ? row.cells[target] : std::string());
  }
}

const std::string& member(const JsonValue& object, const std::string& chosen,
                          std::span<const std::string_view> names) {
  if (!chosen.empty()) return object.at(chosen).string();
  for (const std::string_view name : names) {
    if (object.has(name)) return object.at(name).string();
  }
  return object.at(names[0]).string();  // throws, naming the likeliest
}

void read_jsonl(TextLines& lines, const ParallelReadOptions& options, Collector& collector) {
  read_json_lines(lines, [&](const JsonValue& object, int64_t line) {
    collector.add(line, member(object, options.source_column, kSourceNames),
                  collector.wants_targets() ? member(object, options.target_column, kTargetNames)
                                            : std::string());
  });
}

}  // namespace

ParallelData read_parallel(const ParallelFiles& files, const ParallelReadOptions& options,
                           DataReport& report) {
  check_usage(files.source != "-" || files.target != "-",
              "source and target texts cannot both come from standard input");
  TextLines lines(files.source, options.encoding, report);
  Collector collector(lines, options);
  const Format format = format_of(files.source, Format::kByExtension, Labels::kNone);
  if (!files.target.empty() && collector.wants_targets()) {
    TextLines targets(files.target, options.encoding, report);
    read_two_files(lines, targets, collector);
  } else if (format == Format::kJsonl) {
    read_jsonl(lines, options, collector);
  } else if (format == Format::kText && !collector.wants_targets()) {
    for (std::string line; lines.next(line);) collector.add(lines.line_number(), line, {});
  } else {
    read_table(lines, format == Format::kText ? Format::kTsv : format, options, collector);
  }
  return collector.finish();
}

}  // namespace heed::data
