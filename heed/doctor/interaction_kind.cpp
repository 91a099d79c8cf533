// Who took what, and when.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "heed/base/error.h"
#include "heed/data/file_format.h"
#include "heed/data/interactions/interaction_data.h"
#include "heed/data/rows.h"
#include "heed/doctor/data_kind.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr std::string_view kUserNames[] = {"user", "user_id", "userid"};
constexpr std::string_view kItemNames[] = {"item",    "item_id", "itemid",    "movie_id",
                                           "movieid", "product", "product_id"};

constexpr double kManyOfAll = 0.5;  // of the users or the items
constexpr double kManyAgain = 0.1;  // of all that was taken

// Names of both in the header, and none of a text: what people wrote of items is no interaction.
bool are_interactions(const DataToCheck& asked) {
  const auto names_one = [](const data::Row& row, std::span<const std::string_view> names) {
    return std::any_of(row.cells.begin(), row.cells.end(), [&](const std::string& cell) {
      const std::string name = data::lower_case_of(trimmed(cell));
      return std::find(names.begin(), names.end(), name) != names.end();
    });
  };
  if (asked.splits[0].files[0] == "-") return false;  // it is read once
  data::DataReport ignored;
  data::TextLines lines(asked.splits[0].files[0], {.encoding = asked.reading.encoding}, ignored);
  const data::FileLayout kind = lines.kind(asked.reading.format, asked.reading.delimiter);
  if (kind.format != data::Format::kTsv && kind.format != data::Format::kCsv) return false;
  data::Row row;
  return data::rows_of(lines, kind)->next(row) && names_one(row, kUserNames) &&
         names_one(row, kItemNames) && !names_one(row, data::usual_text_names());
}

void check_counts(const data::InteractionData& data, Report& report) {
  for (const char* check : {"users with one event", "items taken once"}) report.made(check);
  const auto add = [&](const char* check, int64_t part, int64_t whole, const char* what,
                       const char* does, const char* advice) {
    if (part == 0) return;
    const bool many = static_cast<double>(part) > kManyOfAll * static_cast<double>(whole);
    report.add({.check = check,
                .severity = many ? Severity::kWarning : Severity::kNote,
                .summary = share_text(part, whole, what) + does,
                .advice = advice});
  };
  std::vector<int64_t> taken(data.items.size(), 0);
  int64_t lone = 0;
  for (const std::vector<int32_t>& history : data.histories) {
    lone += history.size() == 1 ? 1 : 0;
    for (const int32_t item : history) ++taken[static_cast<size_t>(item)];
  }
  add("users with one event", lone, std::ssize(data.users), "users", " took one item alone",
      "nothing follows it: a model learns nothing of them, and they are not measured");
  add("items taken once", std::count(taken.begin(), taken.end(), int64_t{1}),
      std::ssize(data.items), "items", " were taken once",
      "hardly anything can be learned of them; leave out what is rare, or gather more");
}

void check_again(const data::InteractionData& data, Report& report) {
  report.made("duplicates");
  int64_t again = 0;
  std::vector<std::string> examples;
  for (size_t user = 0; user < data.histories.size(); ++user) {
    const std::vector<int32_t>& history = data.histories[user];
    for (size_t i = 1; i < history.size(); ++i) {
      if (history[i] != history[i - 1]) continue;
      ++again;
      if (examples.size() < kExamples) {
        examples.push_back("user " + excerpt(data.users[user]) + ", item " +
                           excerpt(data.items[static_cast<size_t>(history[i])]));
      }
    }
  }
  if (again == 0) return;
  const bool many = static_cast<double>(again) > kManyAgain * static_cast<double>(data.count());
  report.add({.check = "duplicates",
              .severity = many ? Severity::kWarning : Severity::kNote,
              .summary = share_text(again, data.count(), "events") +
                         " are of the same item as the one before",
              .advice = "where one event was written down twice, keep one: to say again what was "
                        "last is easy, and makes a model look good",
              .examples = std::move(examples)});
}

void check_interactions(const DataToCheck& asked, Report& report) {
  check_usage(asked.splits.size() == 1 && asked.splits[0].files.size() == 1,
              "interactions: expected one file; what a user took last is held out of it");
  Data data;
  data.splits.push_back({.name = "train"});
  const data::InteractionData read = data::read_interactions(asked.splits[0].files[0],
                                                             {.encoding = asked.reading.encoding,
                                                              .delimiter = asked.reading.delimiter,
                                                              .limits = asked.reading.limits},
                                                             data.reading);
  begin_report(data, report);
  report.numbers["samples"]["train"] = read.count();
  report.numbers["users"] = read.users.size();
  report.numbers["items"] = read.items.size();
  report.made("times");
  if (!read.has_times) {
    report.add({.check = "times",
                .severity = Severity::kNote,
                .summary = "there is no column of times",
                .advice = "rows count as in order of time; sort them, or add a column"});
  }
  check_counts(read, report);
  check_again(read, report);
}

}  // namespace

DataKind interactions_kind() {
  return {.task = "recommend", .is = are_interactions, .check = check_interactions};
}

}  // namespace heed::doctor
