#include "heed/data/interactions/interaction_data.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/data/open_table.h"
#include "heed/data/series/time_format.h"
#include "heed/data/table_column.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr auto kUserNames = std::to_array<std::string_view>(
    {"user", "user_id", "userid", "uid", "customer", "customer_id", "visitor", "visitorid",
     "session", "session_id", "sessionid", "reviewerid", "reviewer_id"});
constexpr auto kItemNames = std::to_array<std::string_view>(
    {"item", "item_id", "itemid", "iid", "movie", "movie_id", "movieid", "product", "product_id",
     "productid", "asin", "track", "track_id", "book", "book_id", "article", "article_id"});
constexpr auto kTimestampNames = std::to_array<std::string_view>(
    {"time", "timestamp", "date", "datetime", "ts", "unixreviewtime", "unix_time", "order"});
constexpr auto kTitleNames =
    std::to_array<std::string_view>({"name", "title", "item_name", "description"});

// The numbers of names, in the order in which they come.
class Numbered {
 public:
  explicit Numbered(std::vector<std::string>& names) : names_(names) {}

  int32_t operator()(std::string_view name) {
    const auto [at, is_new] =
        numbers_.try_emplace(std::string(name), static_cast<int32_t>(names_.size()));
    if (is_new) names_.emplace_back(name);
    return at->second;
  }

 private:
  std::vector<std::string>& names_;
  std::unordered_map<std::string, int32_t> numbers_;
};

// What the first row says of the columns: two roles, and that it is a header where it has any of
// the usual names.
Columns columns_in(OpenTable& table, const ColumnRole& one, const ColumnRole& other) {
  const auto& cells = table.first().cells;
  const bool header = std::any_of(cells.begin(), cells.end(), [&](const std::string& cell) {
    return is_among(cell, one.usual) || is_among(cell, other.usual) ||
           is_among(cell, kTimestampNames);
  });
  Columns columns = columns_of(
      table.first(), {.text = one, .label = other, .header = header ? Header::kYes : Header::kAuto},
      table.lines(), table.kind());
  table.set_header(columns.first_row_is_header);
  return columns;
}

OpenTableOptions table_options(const InteractionReadOptions& options) {
  return {.encoding = options.encoding,
          .delimiter = options.delimiter,
          .skip_bad = options.skip_bad,
          .limits = options.limits};
}

ColumnRole user_role(const InteractionReadOptions& options, std::string_view number) {
  return {.what = "user",
          .option = "--user-column",
          .chosen = options.user_column,
          .known = options.known_user_column,
          .usual = kUserNames,
          .place = 0,
          .lost = ColumnRole::Lost::kRefused,
          .number = number};
}

ColumnRole item_role(const InteractionReadOptions& options, std::string_view number) {
  return {.what = "item",
          .option = "--item-column",
          .chosen = options.item_column,
          .known = options.known_item_column,
          .usual = kItemNames,
          .place = 1,
          .lost = ColumnRole::Lost::kRefused,
          .number = number};
}

// Without a header the third of three is that of the times.
FoundColumn time_column(const OpenTable& table, const Columns& columns,
                        const InteractionReadOptions& options) {
  std::optional<size_t> third;
  if (table.first().cells.size() == 3) third = 3 - columns.text - *columns.label;
  return find_column({.option = "--time-column",
                      .chosen = options.time_column,
                      .usual = kTimestampNames,
                      .without_header = third,
                      .known = options.known_time_column,
                      .lost = ColumnRole::Lost::kRefused},
                     table, columns.first_row_is_header);
}

// A time as a number: as it stands, or as a calendar has it; all written like the first one.
class Times {
 public:
  std::optional<double> of(std::string_view cell) {
    const std::optional<double> number = finite_number(cell);
    if (!format_ && !numbers_) {
      numbers_ = number.has_value();
      if (!numbers_) format_ = TimeFormat::of(cell);
    }
    if (numbers_) return number;
    const auto time = format_ ? format_->parse(cell) : std::nullopt;
    return time ? std::optional(static_cast<double>(*time)) : std::nullopt;
  }
  std::string expected() const {
    return numbers_  ? "a number as a time, like those before it"
           : format_ ? format_->described()
                     : "a time: a number, or such as 2016-07-31 13:00";
  }

 private:
  bool numbers_ = false;
  std::optional<TimeFormat> format_;
};

// Brings a history into the order of its times.
void sort_by_time(std::vector<int32_t>& history, const std::vector<double>& times) {
  if (std::is_sorted(times.begin(), times.end())) return;
  std::vector<size_t> order(history.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return times[a] < times[b]; });
  std::vector<int32_t> sorted;
  for (const size_t i : order) sorted.push_back(history[i]);
  history = std::move(sorted);
}

}  // namespace

int64_t InteractionData::count() const {
  return std::accumulate(histories.begin(), histories.end(), int64_t{0},
                         [](int64_t sum, const auto& each) { return sum + std::ssize(each); });
}

InteractionData read_interactions(const std::filesystem::path& file,
                                  const InteractionReadOptions& options, DataReport& report) {
  OpenTable table(file, table_options(options), report);
  InteractionData data;
  data.file = table.file();
  if (table.is_empty()) return data;
  const bool chosen = !options.user_column.empty() || !options.item_column.empty();
  const Columns columns = columns_in(table, user_role(options, chosen ? "" : "1"),
                                     item_role(options, chosen ? "" : "2"));
  const FoundColumn time_found = time_column(table, columns, options);
  const std::optional<size_t>& time_at = time_found.place;
  data.has_times = time_at.has_value();
  data.user_column = columns.text_name;
  data.item_column = columns.label_name;
  data.time_column = time_found.name;
  Numbered users(data.users);
  Numbered items(data.items);
  Times times;
  std::vector<std::vector<double>> when;
  for (Row row; table.next(row);) {
    const std::string_view user = table.name(row, columns.text, "a user");
    if (user.empty()) continue;
    const std::string_view item = table.name(row, *columns.label, "an item");
    if (item.empty()) continue;
    const std::string_view cell = time_at ? trimmed(row.cells[*time_at]) : std::string_view();
    const std::optional<double> time = time_at ? times.of(cell) : 0.0;
    if (!time) {
      table.bad(row, text_of("column ", *time_at + 1, ": expected ", times.expected(), ", found ",
                             excerpt(cell, 40)));
      continue;
    }
    const auto number = static_cast<size_t>(users(user));
    data.histories.resize(data.users.size());
    data.histories[number].push_back(items(item));
    if (time_at) {
      when.resize(data.users.size());
      when[number].push_back(*time);
    }
  }
  data.left_out = table.left_out();
  for (size_t i = 0; i < when.size(); ++i) sort_by_time(data.histories[i], when[i]);
  if (data.users.empty() && report.fatal_count() == 0) {
    report.add(ProblemKind::kNoExamples, data.file, 0,
               "expected rows of users and items, found none");
  }
  return data;
}

ItemNames read_item_names(const std::filesystem::path& file, const InteractionReadOptions& options,
                          const std::string& name_column, DataReport& report) {
  OpenTable table(file, table_options(options), report);
  ItemNames names;
  if (table.is_empty()) return names;
  const bool chosen = !options.item_column.empty() || !name_column.empty();
  const Columns columns = columns_in(table, item_role(options, chosen ? "" : "1"),
                                     {.what = "name",
                                      .option = "--name-column",
                                      .chosen = name_column,
                                      .known = {},
                                      .usual = kTitleNames,
                                      .place = 1,
                                      .number = chosen ? "" : "2"});
  for (Row row; table.next(row);) {
    const std::string_view item = table.name(row, columns.text, "an item");
    if (item.empty()) continue;
    const std::string_view name = table.name(row, *columns.label, "a name");
    if (!name.empty()) names.emplace(item, name);
  }
  return names;
}

}  // namespace heed::data
