#include "heed/data/texts/classification_data.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/json_lines.h"
#include "heed/data/label_set.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

bool is_labelled(const ReadOptions& options) { return options.labels == Labels::kRequired; }

ColumnRules rules_of(const ReadOptions& options) {
  return {.text = {.what = "text",
                   .option = "--text-column",
                   .chosen = options.text_column,
                   .known = options.known_text_column,
                   .usual = usual_text_names(),
                   .place = 1},
          .label = {.what = "label",
                    .option = "--label-column",
                    .chosen = options.label_column,
                    .known = options.known_label_column,
                    .usual = usual_label_names(),
                    .place = 0,
                    .wanted = is_labelled(options)},
          .header = options.header,
          .labels = options.label_names};
}

void sort_unique(std::vector<int32_t>& labels) {
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

// Checks what the rows of files hold and gathers the examples.
class Collector {
 public:
  explicit Collector(const ReadOptions& options)
      : options_(options), labels_(options.label_names) {}

  // What follows is of this file.
  void begin(TextLines& lines) {
    lines_ = &lines;
    data_.files.push_back(lines.file());
  }

  TextLines& lines() { return *lines_; }
  const ReadOptions& options() const { return options_; }
  bool labelled() const { return is_labelled(options_); }
  bool several() const { return !options_.label_separator.empty(); }

  void set_columns(const std::string& text, const std::string& label) {
    data_.text_column = text;
    data_.label_column = label;
  }

  // One row whose labels stand in a cell; with Labels::kNone it is not looked at.
  void add(int64_t line, std::string text, std::string_view cell) {
    if (!several() || !labelled()) {
      add(line, std::move(text), std::vector<std::string>{std::string(cell)});
      return;
    }
    std::vector<std::string> labels;
    const std::string& separator = options_.label_separator;
    for (size_t begin = 0; begin <= cell.size();) {
      const size_t end = std::min(cell.find(separator, begin), cell.size());
      labels.emplace_back(trimmed(cell.substr(begin, end - begin)));
      begin = end + separator.size();
    }
    std::erase(labels, "");
    add(line, std::move(text), labels);
  }

  // One row with its labels apart: any number of them where there may be several, otherwise one.
  void add(int64_t line, std::string text, const std::vector<std::string>& labels) {
    const bool empty = trimmed(text).empty();
    Example example{.text = std::move(text), .label = std::nullopt, .line = line};
    example.file = static_cast<uint32_t>(data_.files.size() - 1);
    if (empty) {
      report(ProblemKind::kEmptyText, line,
             labelled() ? "expected a text, found only white space; the row is left out"
                        : "expected a text, found only white space");
    }
    if (!labelled()) {
      data_.examples.push_back(std::move(example));
      return;
    }
    for (const std::string& label : labels) {
      const std::optional<int32_t> index = index_of(line, label);
      if (!index) return;
      example.labels.push_back(*index);
    }
    if (!several()) example.label = std::exchange(example.labels, {}).front();
    sort_unique(example.labels);
    if (!empty) data_.examples.push_back(std::move(example));
  }

  void report(ProblemKind kind, int64_t line, std::string_view detail) {
    lines_->report(kind, line, detail);
  }

  ClassificationData finish() {
    if (data_.examples.empty() && labelled()) {
      report(ProblemKind::kNoExamples, 0, "expected at least one row with a label and a text");
    }
    data_.label_names = labels_.names();
    if (!labels_.is_fixed()) number_labels();
    return std::move(data_);
  }

 private:
  std::optional<int32_t> index_of(int64_t line, std::string_view label) {
    const auto found = labels_.index_of(
        label, [&](const std::string& detail) { report(ProblemKind::kLookAlike, line, detail); });
    if (!found) {
      if (trimmed(label).empty()) {
        report(ProblemKind::kMissingLabel, line, "expected a label, found none");
      } else {
        report(ProblemKind::kUnknownLabel, line,
               "expected one of " + listed(labels_.spellings()) + ", found " + excerpt(label));
      }
      return std::nullopt;
    }
    if (labels_.count() > options_.limits.most_classes) refuse_classes(line);
    return found;
  }

  [[noreturn]] void refuse_classes(int64_t line) const {
    throw DataError(text_of(lines_->file(), ":", line),
                    text_of("more than ", options_.limits.most_classes,
                            " classes; is the label column the right one? If it is, give more ",
                            "with most_classes (--max-classes)"));
  }

  // Labels were numbered as they came; their indices are those of the sorted list.
  void number_labels() {
    const std::vector<std::string> names = std::move(data_.label_names);
    std::vector<bool> used(names.size(), false);
    for (const Example& example : data_.examples) {
      if (example.label) used[static_cast<size_t>(*example.label)] = true;
      for (const int32_t label : example.labels) used[static_cast<size_t>(label)] = true;
    }
    data_.label_names.clear();
    for (size_t i = 0; i < names.size(); ++i) {
      // A label whose every row was left out is no class.
      if (used[i]) data_.label_names.push_back(names[i]);
    }
    const std::vector<int32_t> sorted = sort_with_places(data_.label_names);
    std::vector<int32_t> place(names.size(), 0);
    size_t next = 0;
    for (size_t i = 0; i < names.size(); ++i) {
      if (used[i]) place[i] = sorted[next++];
    }
    for (Example& example : data_.examples) {
      if (example.label) example.label = place[static_cast<size_t>(*example.label)];
      for (int32_t& label : example.labels) label = place[static_cast<size_t>(label)];
      sort_unique(example.labels);
    }
  }

  const ReadOptions& options_;
  LabelSet labels_;
  TextLines* lines_ = nullptr;
  ClassificationData data_;
};

void read_rows(const FileLayout& kind, Collector& collector) {
  TextLines& lines = collector.lines();
  const std::unique_ptr<RowReader> rows = rows_of(lines, kind);
  const bool table = kind.format == Format::kTsv || kind.format == Format::kCsv;
  Columns columns;
  if (kind.format == Format::kLabelText) columns = {.text = 1, .label = 0, .count = 2};
  Row row;
  bool first = true;
  while (rows->next(row)) {
    if (table && std::exchange(first, false)) {
      columns = columns_of(row, rules_of(collector.options()), lines, kind);
      collector.set_columns(columns.text_name, columns.label_name);
      if (columns.first_row_is_header) continue;
    }
    if (row.cells.size() != columns.count) {
      collector.report(ProblemKind::kColumnCount, row.line,
                       text_of("expected ", columns.count, " columns as in the first row, found ",
                               row.cells.size()));
      continue;
    }
    collector.add(row.line, std::move(row.cells[columns.text]),
                  columns.label ? std::string_view(row.cells[*columns.label]) : "");
  }
}

// A label as text: "spam", 1 or true; none of another value.
std::optional<std::string> label_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer() || value.is_boolean()) return value.dump();
  if (value.is_null()) return "";
  return std::nullopt;
}

// A text, or an array of sentences as lines.
std::optional<std::string> text_value(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return std::nullopt;
  std::string lines;
  for (const Json& sentence : value) {
    if (!sentence.is_string()) return std::nullopt;
    if (!lines.empty()) lines += '\n';
    lines += sentence.get_ref<const std::string&>();
  }
  return lines;
}

// The names of the members, told by the first object.
struct Members {
  std::string text;
  std::string label;
};

Members members_of(const JsonValue& object, const std::string& where, const ReadOptions& options) {
  const ColumnRules rules = rules_of(options);
  Members members = {.text = member_of(object, rules.text),
                     .label = member_of(object, rules.label)};
  const std::string found = excerpt(object.json().dump());
  for (const auto& [name, role] :
       {std::pair(&members.text, &rules.text), std::pair(&members.label, &rules.label)}) {
    check_usage(!name->empty() || !role->wanted, where, ": cannot tell which member holds the ",
                role->what, ": ", found, "; name it with ", role->option);
  }
  return members;
}

// The labels of an object, one by one; an array is taken apart only where there may be several.
bool add_labelled(const Json& label, std::string text, int64_t line, Collector& collector) {
  if (collector.several() && label.is_array()) {
    std::vector<std::string> labels;
    for (const Json& element : label) {
      const auto one = label_text(element);
      if (!one) return false;
      labels.push_back(*one);
    }
    std::erase(labels, "");
    collector.add(line, std::move(text), labels);
    return true;
  }
  const auto one = label_text(label);
  if (one) collector.add(line, std::move(text), std::string_view(*one));
  return one.has_value();
}

void add_object(const Json& object, const Members& members, int64_t line, Collector& collector) {
  const auto member = object.find(members.text);
  std::optional<std::string> text;
  if (member != object.end()) text = text_value(*member);
  if (!text) {
    collector.report(ProblemKind::kMissingText, line,
                     text_of("expected a string ", excerpt(members.text), ", found ",
                             member == object.end() ? "none" : excerpt(member->dump(), 30)));
    return;
  }
  const auto found = collector.labelled() ? object.find(members.label) : object.end();
  const Json label = found == object.end() ? Json() : *found;
  if (!add_labelled(label, std::move(*text), line, collector)) {
    collector.report(ProblemKind::kMalformedRow, line,
                     text_of("expected ", excerpt(members.label),
                             " to be a string, a whole number, true or false, found ",
                             excerpt(label.dump(), 30)));
  }
}

void read_objects(const FileLayout& kind, Collector& collector) {
  TextLines& lines = collector.lines();
  std::optional<Members> members;
  read_json_objects(lines, kind, [&](const JsonValue& object, int64_t line) {
    if (!members) {
      members = members_of(object, text_of(lines.file(), ":", line), collector.options());
      collector.set_columns(members->text, members->label);
    }
    add_object(object.json(), *members, line, collector);
  });
}

void read_file(const FileLayout& kind, Collector& collector) {
  if (kind.format == Format::kJsonl || kind.format == Format::kJson) {
    read_objects(kind, collector);
  } else {
    read_rows(kind, collector);
  }
}

// Whether each of the first lines begins with a label, or with several, and has more behind it.
bool begin_with_labels(std::string_view head, const ReadOptions& options) {
  LabelSet labels(options.label_names);
  const auto nothing = [](const std::string& /*detail*/) {};
  const std::string& separator = options.label_separator;
  size_t lines = 0;
  while (!head.empty()) {
    const size_t end = std::min(head.find('\n'), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (trimmed(line).empty()) continue;
    const size_t blank = line.find_first_of(" \t");
    std::string_view label = line.substr(0, blank);
    if (!separator.empty()) label = label.substr(0, label.find(separator));
    if (blank == line.npos || !is_utf8(label) || !labels.index_of(label, nothing)) return false;
    ++lines;
  }
  return lines > 1;
}

}  // namespace

std::string ClassificationData::name() const { return joined(files); }

std::string ClassificationData::where(const Example& example) const {
  return text_of(files.at(example.file), ":", example.line);
}

FileLayout kind_of(TextLines& lines, const ReadOptions& options, LineReader::Wait wait) {
  FileLayout kind = lines.kind(options.format, options.delimiter, wait);
  if (options.format != Format::kAuto) {
    check_usage(kind.format != Format::kText || !is_labelled(options),
                "format text has no labels: expected one of label-text, tsv, csv, jsonl, json");
    return kind;
  }
  // Of no other task: words in a row, numbered lines.
  if (kind.format == Format::kConll || kind.format == Format::kStories) kind = {};
  if (kind.format != Format::kText) return kind;
  constexpr size_t kLooked = 64 << 10;
  if (is_labelled(options)) {
    kind.format = Format::kLabelText;
  } else if (!options.label_names.empty() && lines.is_whole()) {
    std::string_view head = lines.reader().peek(kLooked, wait);
    if (head.size() == kLooked) head = head.substr(0, head.rfind('\n') + 1);
    if (begin_with_labels(head, options)) {
      kind.format = Format::kLabelText;
      lines.note("each line begins with a label, which is left out; --format text keeps it");
    }
  }
  return kind;
}

ClassificationData read_classification(TextLines& lines, const FileLayout& kind,
                                       const ReadOptions& options) {
  Collector collector(options);
  collector.begin(lines);
  read_file(kind, collector);
  return collector.finish();
}

ClassificationData read_classification(const std::vector<std::filesystem::path>& files,
                                       const ReadOptions& options, DataReport& report) {
  check_usage(!files.empty(), "expected at least one file, got none");
  Collector collector(options);
  std::unique_ptr<TextLines> lines;  // the last one is named where there is no example at all
  for (const std::filesystem::path& file : files) {
    lines = std::make_unique<TextLines>(
        file, TextLines::Options{.encoding = options.encoding, .limits = options.limits}, report);
    const FileLayout kind = kind_of(*lines, options);
    collector.begin(*lines);
    read_file(kind, collector);
  }
  return collector.finish();
}

ClassificationData read_classification(const std::filesystem::path& file,
                                       const ReadOptions& options, DataReport& report) {
  return read_classification(std::vector{file}, options, report);
}

}  // namespace heed::data
