#include "heed/data/classification_data.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/data/rows.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 6> kFormats = {{
    {"auto", Format::kByExtension},
    {"label-text", Format::kLabelText},
    {"tsv", Format::kTsv},
    {"csv", Format::kCsv},
    {"jsonl", Format::kJsonl},
    {"text", Format::kText},
}};

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void sort_labels(std::vector<std::string>& labels) {
  const bool numbers = std::all_of(labels.begin(), labels.end(), [](const std::string& label) {
    return whole_number(label).has_value();
  });
  std::sort(labels.begin(), labels.end(), [&](const std::string& a, const std::string& b) {
    if (!numbers || whole_number(a) == whole_number(b)) return a < b;
    return *whole_number(a) < *whole_number(b);
  });
}

// Checks what the rows of a file hold and gathers the examples.
class Collector {
 public:
  Collector(TextLines& lines, const ReadOptions& options) : lines_(lines), options_(options) {
    for (const std::string& label : options.label_names) {
      const auto index = static_cast<int32_t>(labels_.size());
      check_usage(labels_.emplace(label, index).second, "label ", excerpt(label),
                  " stands twice in the label set");
    }
  }

  bool labelled() const { return options_.labels == Labels::kRequired; }
  bool several() const { return !options_.label_separator.empty(); }
  const std::string& separator() const { return options_.label_separator; }

  // One row; with Labels::kNone `label` is not looked at.
  void add(int64_t line, std::string text, std::string_view label) {
    const bool empty = trimmed(text).empty();
    if (!labelled()) {
      if (empty) report(ProblemKind::kEmptyText, line, "expected a text, found only white space");
      examples_.push_back({std::move(text), std::nullopt, line});
      return;
    }
    if (several() && !empty) {
      if (auto labels = labels_of(line, label)) {
        examples_.push_back({std::move(text), std::nullopt, line, std::move(*labels)});
      }
      return;
    }
    const std::optional<int32_t> index = index_of(line, trimmed(label));
    if (empty) {
      report(ProblemKind::kEmptyText, line,
             "expected a text, found only white space; the row is left out");
    } else if (index) {
      examples_.push_back({std::move(text), index, line});
    }
  }

  void report(ProblemKind kind, int64_t line, std::string_view detail) {
    lines_.report(kind, line, detail);
  }

  ClassificationData finish() {
    if (examples_.empty() && labelled()) {
      report(ProblemKind::kNoExamples, 0, "expected at least one row with a label and a text");
    }
    ClassificationData data;
    data.file = lines_.file();
    data.examples = std::move(examples_);
    data.label_names = options_.label_names;
    if (data.label_names.empty()) number_labels(data);
    return data;
  }

 private:
  std::optional<int32_t> index_of(int64_t line, std::string_view label) {
    if (label.empty()) {
      report(ProblemKind::kMissingLabel, line, "expected a label, found none");
      return std::nullopt;
    }
    const auto found = labels_.find(label);
    if (found != labels_.end()) return found->second;
    if (!options_.label_names.empty()) {
      report(ProblemKind::kUnknownLabel, line,
             "expected one of " + known_labels() + ", found " + excerpt(label));
      return std::nullopt;
    }
    const auto index = static_cast<int32_t>(labels_.size());
    labels_.emplace(label, index);
    return index;
  }

  // The indices of the labels between separators; none if one of them is unknown.
  std::optional<std::vector<int32_t>> labels_of(int64_t line, std::string_view label) {
    std::vector<int32_t> labels;
    for (size_t begin = 0; begin <= label.size();) {
      const size_t end = std::min(label.find(separator(), begin), label.size());
      const std::string_view one = trimmed(label.substr(begin, end - begin));
      begin = end + separator().size();
      if (one.empty()) continue;
      const std::optional<int32_t> index = index_of(line, one);
      if (!index) return std::nullopt;
      labels.push_back(*index);
    }
    sort_unique(labels);
    return labels;
  }

  static void sort_unique(std::vector<int32_t>& labels) {
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  }

  std::string known_labels() const {
    constexpr size_t kShown = 10;
    std::string list;
    for (size_t i = 0; i < options_.label_names.size() && i < kShown; ++i) {
      if (i > 0) list += ", ";
      list += excerpt(options_.label_names[i], 30);
    }
    if (options_.label_names.size() > kShown) {
      list += text_of(", ... (", options_.label_names.size(), " in all)");
    }
    return list;
  }

  // Labels were numbered as they came; their indices are those of the sorted list.
  void number_labels(ClassificationData& data) const {
    std::vector<bool> used(labels_.size(), false);
    for (const Example& example : data.examples) {
      if (example.label) used[static_cast<size_t>(*example.label)] = true;
      for (const int32_t label : example.labels) used[static_cast<size_t>(label)] = true;
    }
    for (const auto& [label, index] : labels_) {
      // A label whose every row was left out is no class.
      if (used[static_cast<size_t>(index)]) data.label_names.push_back(label);
    }
    sort_labels(data.label_names);
    std::vector<int32_t> place(labels_.size(), 0);
    for (size_t i = 0; i < data.label_names.size(); ++i) {
      const int32_t index = labels_.find(data.label_names[i])->second;
      place[static_cast<size_t>(index)] = static_cast<int32_t>(i);
    }
    for (Example& example : data.examples) {
      if (example.label) example.label = place[static_cast<size_t>(*example.label)];
      for (int32_t& label : example.labels) label = place[static_cast<size_t>(label)];
      sort_unique(example.labels);
    }
  }

  TextLines& lines_;
  const ReadOptions& options_;
  std::vector<Example> examples_;
  std::map<std::string, int32_t, std::less<>> labels_;
};

void read_rows(TextLines& lines, Format format, const ReadOptions& options, Collector& collector) {
  const std::unique_ptr<Rows> rows = rows_of(lines, format);
  const bool table = format == Format::kTsv || format == Format::kCsv;
  Columns columns = {.text = 0, .label = std::nullopt, .count = 1, .first_row_is_header = false};
  if (format == Format::kLabelText) {
    columns = {.text = 1, .label = 0, .count = 2, .first_row_is_header = false};
  }
  Row row;
  bool first = true;
  while (rows->next(row)) {
    if (table && std::exchange(first, false)) {
      columns = columns_of(row, options, lines.file());
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

// The member of a JSON object that an option or custom names; empty if it has none of them.
std::string member_name(const Json& object, const std::string& chosen,
                        std::span<const std::string_view> usual) {
  if (!chosen.empty()) return chosen;
  for (const std::string_view name : usual) {
    if (object.contains(name)) return std::string(name);
  }
  return {};
}

// A label as text: "spam", 1 or true; ["spam", "old"] where there is a separator.
std::optional<std::string> label_text(const Json& value, const std::string& separator) {
  if (value.is_array() && !separator.empty()) {
    std::string labels;
    for (const Json& element : value) {
      const auto label = element.is_array() ? std::nullopt : label_text(element, separator);
      if (!label) return std::nullopt;
      labels += (labels.empty() ? "" : separator) + *label;
    }
    return labels;
  }
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
  std::optional<std::string> label = "";
  if (collector.labelled()) {
    const auto found = object.find(members.label);
    if (found != object.end()) label = label_text(*found, collector.separator());
    if (!label) {
      collector.report(ProblemKind::kMalformedRow, line,
                       text_of("expected ", excerpt(members.label),
                               " to be a string, a whole number, true or false, found ",
                               excerpt(found->dump(), 30)));
      return;
    }
  }
  collector.add(line, std::move(*text), *label);
}

void read_jsonl(TextLines& lines, const ReadOptions& options, Collector& collector) {
  constexpr uint64_t kMaxBytes = uint64_t{16} << 20;
  Members members;
  std::string line;
  while (lines.next(line)) {
    if (trimmed(line).empty()) continue;
    const int64_t number = lines.line_number();
    Json object;
    try {
      object = parse_json(line, "JSON", {.max_bytes = kMaxBytes}).json();
    } catch (const DataError& error) {
      collector.report(ProblemKind::kMalformedRow, number, error.what());
      continue;
    }
    if (!object.is_object()) {
      collector.report(ProblemKind::kMalformedRow, number,
                       "expected a JSON object, found " + excerpt(line, 30));
      continue;
    }
    if (members.text.empty()) {
      members.text = member_name(object, options.text_column, usual_text_names());
      members.label = member_name(object, options.label_column, usual_label_names());
      const std::string where = text_of(lines.file(), ":", number);
      check_usage(!members.text.empty(), where,
                  ": cannot tell which member holds the text: ", excerpt(line),
                  "; name it with text_column (--text-column)");
      check_usage(!members.label.empty() || !collector.labelled(), where,
                  ": cannot tell which member holds the label: ", excerpt(line),
                  "; name it with label_column (--label-column)");
    }
    add_object(object, members, number, collector);
  }
}

}  // namespace

Format format_named(std::string_view name) {
  std::string known;
  for (const auto& [known_name, format] : kFormats) {
    if (name == known_name) return format;
    if (!known.empty()) known += ", ";
    known += known_name;
  }
  throw UsageError(text_of("format ", excerpt(name), ": expected one of ", known));
}

std::string_view name_of(Format format) {
  for (const auto& [name, known] : kFormats) {
    if (format == known) return name;
  }
  return "";
}

Format format_of(const std::filesystem::path& file, Format format, Labels labels) {
  if (format != Format::kByExtension) return format;
  std::filesystem::path name = file.filename();
  if (name.extension() == ".gz") name = name.stem();
  const std::string extension = name.extension().string();
  if (extension == ".tsv") return Format::kTsv;
  if (extension == ".csv") return Format::kCsv;
  if (extension == ".jsonl" || extension == ".ndjson") return Format::kJsonl;
  return labels == Labels::kNone ? Format::kText : Format::kLabelText;
}

Encoding encoding_named(std::string_view name) {
  if (name == "utf-8") return Encoding::kUtf8;
  if (name == "latin-1") return Encoding::kLatin1;
  throw UsageError(text_of("encoding ", excerpt(name), ": expected utf-8 or latin-1"));
}

ClassificationData read_classification(const std::filesystem::path& file,
                                       const ReadOptions& options, DataReport& report) {
  const Format format = format_of(file, options.format, options.labels);
  check_usage(format != Format::kText || options.labels == Labels::kNone,
              "format text has no labels: expected one of label-text, tsv, csv, jsonl");
  TextLines lines(file, options.encoding, report);
  Collector collector(lines, options);
  if (format == Format::kJsonl) {
    read_jsonl(lines, options, collector);
  } else {
    read_rows(lines, format, options, collector);
  }
  return collector.finish();
}

}  // namespace heed::data
