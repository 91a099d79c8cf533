#include "heed/data/texts/parallel_data.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/data/json_lines.h"
#include "heed/data/rows.h"
#include "heed/data/split.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

ColumnRules rules_of(const ParallelReadOptions& options) {
  return {.text = {.what = "source",
                   .option = "--source-column",
                   .chosen = options.source_column,
                   .known = options.known_source_column,
                   .usual = usual_source_names(),
                   .place = 0},
          .label = {.what = "target",
                    .option = "--target-column",
                    .chosen = options.target_column,
                    .known = options.known_target_column,
                    .usual = usual_target_names(),
                    .place = 1,
                    .wanted = options.targets == Labels::kRequired},
          .header = options.header};
}

class PairCollector {
 public:
  PairCollector(TextLines& lines, const ParallelReadOptions& options)
      : lines_(lines), options_(options) {}

  bool wants_targets() const { return options_.targets == Labels::kRequired; }
  const ParallelReadOptions& options() const { return options_; }

  void set_columns(const std::string& source, const std::string& target) {
    data_.source_column = source;
    data_.target_column = target;
  }

  void add(int64_t line, std::string source, std::string target) {
    const bool no_source = trimmed(source).empty();
    if (wants_targets() && (no_source || trimmed(target).empty())) {
      lines_.report(ProblemKind::kEmptyText, line,
                    text_of("expected two texts, found an empty ", no_source ? "source" : "target",
                            "; the pair is left out"));
      return;
    }
    data_.pairs.push_back({std::move(source), std::move(target), line, lines_.file()});
  }

  ParallelData finish() {
    if (data_.pairs.empty() && wants_targets()) {
      lines_.report(ProblemKind::kNoExamples, 0, "expected at least one pair of texts");
    }
    data_.file = lines_.file();
    return std::move(data_);
  }

 private:
  TextLines& lines_;
  const ParallelReadOptions& options_;
  ParallelData data_;
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

void read_two_files(TextLines& sources, TextLines& targets, PairCollector& collector) {
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

void read_table(TextLines& lines, const FileLayout& kind, PairCollector& collector) {
  const std::unique_ptr<RowReader> rows = rows_of(lines, kind);
  std::optional<Columns> columns;
  for (Row row; rows->next(row);) {
    if (!columns) {
      columns = columns_of(row, rules_of(collector.options()), lines, kind);
      collector.set_columns(columns->text_name, columns->label_name);
      if (columns->first_row_is_header) continue;
    }
    if (row.cells.size() != columns->count) {
      lines.report(ProblemKind::kColumnCount, row.line,
                   text_of("expected ", columns->count, " columns as in the first row, found ",
                           row.cells.size()));
      continue;
    }
    collector.add(row.line, row.cells[columns->text],
                  columns->label ? row.cells[*columns->label] : std::string());
  }
}

// The text of a role in an object.
std::string member(const JsonValue& object, const ColumnRole& role) {
  if (!role.wanted) return {};
  const std::string name = member_of(object, role);
  return object.at(name.empty() ? role.usual[0] : name).string();  // throws, naming the likeliest
}

void read_objects(TextLines& lines, const FileLayout& kind, PairCollector& collector) {
  const ColumnRules rules = rules_of(collector.options());
  read_json_objects(lines, kind, [&](const JsonValue& object, int64_t line) {
    collector.set_columns(member_of(object, rules.text), member_of(object, rules.label));
    collector.add(line, member(object, rules.text), member(object, rules.label));
  });
}

bool has_both_sides(const FileLayout& kind) { return kind.format != Format::kText; }

// Whether a file can hold pairs by itself. A pipe is not looked at: what is read of it is gone.
bool holds_pairs(const std::filesystem::path& file, const ParallelReadOptions& options,
                 DataReport& report) {
  if (file == "-") return false;
  TextLines lines(file, {.encoding = options.encoding}, report);
  return lines.is_whole() && has_both_sides(kind_of(lines, options));
}

}  // namespace

FileLayout kind_of(TextLines& lines, const ParallelReadOptions& options, LineReader::Wait wait) {
  const FileLayout kind = lines.kind(options.format, options.delimiter, wait);
  switch (kind.format) {
    case Format::kTsv:
    case Format::kCsv:
    case Format::kJsonl:
    case Format::kJson:
      return kind;
    default:
      return {};
  }
}

ParallelData read_parallel(TextLines& lines, const FileLayout& kind,
                           const ParallelReadOptions& options) {
  PairCollector collector(lines, options);
  if (kind.format == Format::kJsonl || kind.format == Format::kJson) {
    read_objects(lines, kind, collector);
  } else if (has_both_sides(kind)) {
    read_table(lines, kind, collector);
  } else {
    check_usage(!collector.wants_targets(), lines.file(),
                ": lines of text without targets; expected a second file with as many lines, or a "
                "table or JSON with both (a column is named with --source-column and "
                "--target-column)");
    for (std::string line; lines.next(line);) collector.add(lines.line_number(), line, {});
  }
  return collector.finish();
}

ParallelData read_parallel(const ParallelFiles& files, const ParallelReadOptions& options,
                           DataReport& report) {
  check_usage(files.source != "-" || files.target != "-",
              "source and target texts cannot both come from standard input");
  const TextLines::Options reading = {.encoding = options.encoding, .limits = options.limits};
  TextLines lines(files.source, reading, report);
  if (files.target.empty() || options.targets == Labels::kNone) {
    return read_parallel(lines, kind_of(lines, options), options);
  }
  PairCollector collector(lines, options);
  TextLines targets(files.target, reading, report);
  read_two_files(lines, targets, collector);
  return collector.finish();
}

ParallelData read_parallel_files(const std::vector<std::filesystem::path>& files,
                                 const ParallelReadOptions& options, DataReport& report) {
  ParallelData all;
  for (size_t i = 0; i < files.size(); ++i) {
    ParallelFiles part = {.source = files[i]};
    const bool whole = i + 1 == files.size() || holds_pairs(files[i], options, report);
    if (!whole) part.target = files[++i];
    ParallelData read = read_parallel(part, options, report);
    if (all.file.empty()) all.file = read.file;
    std::move(read.pairs.begin(), read.pairs.end(), std::back_inserter(all.pairs));
    all.source_column = read.source_column;
    all.target_column = read.target_column;
  }
  return all;
}

ParallelData take_validation(ParallelData& train, double share, uint64_t seed, DataReport& report) {
  std::vector<SplitKey> keys;
  for (const TextPair& pair : train.pairs) keys.push_back({.kind = {}, .group = pair.source});
  ParallelData valid = {.file = train.file};
  valid.pairs = take_held_back(train.pairs, held_back(keys, share, seed));
  report.note(split_note(valid.pairs.size(), keys.size(), "pairs", seed));
  if (valid.pairs.empty()) {
    report.add(ProblemKind::kNoExamples, train.file, 0,
               "expected enough pairs to hold some back for validation; give files with --valid");
  }
  return valid;
}

}  // namespace heed::data
