#include "heed/data/texts/text_groups.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/json_lines.h"
#include "heed/data/open_table.h"
#include "heed/data/rows.h"
#include "heed/data/split.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

enum Role : uint8_t { kAnchor, kPositive, kNegative, kScore, kRoles };

using Names = std::vector<std::string_view>;

const std::array<Names, kRoles>& usual_names() {
  static const std::array<Names, kRoles> names = {
      Names{"anchor", "query", "question", "sentence1", "text1", "premise"},
      Names{"positive", "answer", "passage", "document", "sentence2", "text2", "hypothesis"},
      Names{"negative"}, Names{"score", "similarity", "label"}};
  return names;
}

// Which column has which role; none: there is no such column.
using Places = std::array<std::optional<size_t>, kRoles>;

class GroupCollector {
 public:
  GroupCollector(TextLines& lines, TextGroups& all) : lines_(lines), all_(all) {}

  void add(TextGroup group) {
    for (const auto& [text, what] :
         {std::pair{&group.anchor, "first text"}, std::pair{&group.positive, "second text"}}) {
      if (!trimmed(*text).empty()) continue;
      lines_.report(ProblemKind::kEmptyText, group.line,
                    text_of("expected two texts, found an empty ", what, "; the row is left out"));
      return;
    }
    if (all_.groups.empty()) all_.judged = group.score.has_value();
    check_usage(all_.judged == group.score.has_value(), lines_.file(),
                ": expected a score in all rows or in none");
    all_.groups.push_back(std::move(group));
  }

  void bad_score(int64_t line) {
    lines_.report(ProblemKind::kMalformedRow, line, "expected a number as score");
  }

 private:
  TextLines& lines_;
  TextGroups& all_;
};

// Of a table, by the names of its first row or, without any, in their order.
struct GroupColumns {
  Places places;
  bool header = false;
};

GroupColumns columns_of(const std::vector<std::string>& cells, const std::string& file) {
  GroupColumns columns;
  for (size_t role = 0; role < kRoles; ++role) {
    for (size_t i = 0; i < cells.size() && !columns.places[role]; ++i) {
      if (is_among(cells[i], usual_names()[role])) columns.places[role] = i;
    }
  }
  columns.header = columns.places[kAnchor] && columns.places[kPositive];
  if (columns.header) return columns;
  check_usage(cells.size() == 2 || cells.size() == 3, file,
              ": expected two or three columns, or names such as anchor and positive in the first "
              "row, found ",
              cells.size(), " columns");
  columns.places = {0, 1};
  if (cells.size() == 3) columns.places[finite_number(trimmed(cells[2])) ? kScore : kNegative] = 2;
  return columns;
}

void read_table(TextLines& lines, const FileLayout& kind, TextGroups& all) {
  GroupCollector collector(lines, all);
  const std::unique_ptr<RowReader> rows = rows_of(lines, kind);
  std::optional<GroupColumns> columns;
  size_t count = 0;
  for (Row row; rows->next(row);) {
    if (!columns) {
      columns = columns_of(row.cells, lines.file());
      count = row.cells.size();
      if (columns->header) continue;
    }
    if (row.cells.size() != count) {
      lines.report(
          ProblemKind::kColumnCount, row.line,
          text_of("expected ", count, " columns as in the first row, found ", row.cells.size()));
      continue;
    }
    const auto cell = [&](Role role) { return row.cells[*columns->places[role]]; };
    TextGroup group{.anchor = cell(kAnchor), .positive = cell(kPositive), .line = row.line};
    if (columns->places[kNegative]) group.negative = cell(kNegative);
    if (columns->places[kScore]) {
      group.score = finite_number(trimmed(cell(kScore)));
      if (!group.score) {
        collector.bad_score(row.line);
        continue;
      }
    }
    collector.add(std::move(group));
  }
}

std::optional<JsonValue> member(const JsonValue& object, Role role) {
  for (const std::string_view name : usual_names()[role]) {
    if (object.has(name)) return object.at(name);
  }
  return std::nullopt;
}

void read_objects(TextLines& lines, const FileLayout& kind, TextGroups& all) {
  GroupCollector collector(lines, all);
  read_json_objects(lines, kind, [&](const JsonValue& object, int64_t line) {
    const auto text = [&](Role role) {
      const auto found = member(object, role);
      return (found ? *found : object.at(usual_names()[role][0])).string();  // throws
    };
    TextGroup group{.anchor = text(kAnchor), .positive = text(kPositive), .line = line};
    if (const auto negative = member(object, kNegative)) group.negative = negative->string();
    if (const auto score = member(object, kScore)) group.score = score->number();
    collector.add(std::move(group));
  });
}

}  // namespace

TextGroups read_text_groups(const std::vector<std::filesystem::path>& files,
                            const TextGroupOptions& options, DataReport& report) {
  TextGroups all;
  for (const std::filesystem::path& file : files) {
    TextLines lines(file, {.encoding = options.encoding, .limits = options.limits}, report);
    if (all.file.empty()) all.file = lines.file();
    const FileLayout kind = lines.kind(options.format, options.delimiter);
    if (kind.format == Format::kJsonl || kind.format == Format::kJson) {
      read_objects(lines, kind, all);
      continue;
    }
    check_usage(kind.format == Format::kTsv || kind.format == Format::kCsv, lines.file(),
                ": expected a table or JSON with two texts in a row");
    read_table(lines, kind, all);
  }
  if (all.groups.empty()) {
    report.add(ProblemKind::kNoExamples, all.file, 0, "expected at least one pair of texts");
  }
  return all;
}

TextGroups take_validation(TextGroups& train, double share, uint64_t seed, DataReport& report) {
  std::vector<SplitKey> keys;
  for (const TextGroup& group : train.groups) keys.push_back({.kind = {}, .group = group.anchor});
  TextGroups valid{.file = train.file, .judged = train.judged};
  valid.groups = take_held_back(train.groups, held_back(keys, share, seed));
  report.note(split_note(valid.groups.size(), keys.size(), "groups of texts", seed));
  if (valid.groups.empty()) {
    report.add(ProblemKind::kNoExamples, train.file, 0,
               "expected enough pairs to hold some back for validation; give files with --valid");
  }
  return valid;
}

}  // namespace heed::data
