#include "heed/data/tables/table_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/label_set.h"
#include "heed/data/open_table.h"
#include "heed/data/rows.h"
#include "heed/data/split.h"
#include "heed/data/tables/cells.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The columns of all files as texts, then told and turned into what they hold.
class TableReader {
 public:
  TableReader(const TableReadOptions& options, DataReport& report, TableData& data)
      : options_(options),
        report_(report),
        data_(data),
        missing_(options.missing.begin(), options.missing.end()),
        labels_(options.label_names) {}

  void add(const std::filesystem::path& file) {
    OpenTable table(file, options_.table, report_);
    data_.files.push_back(table.file());
    if (table.is_empty()) return;
    const std::vector<size_t> places = places_in(table);
    for (Row row; table.next(row);) add(row, table, places);
    data_.left_out += table.left_out();
  }

  void finish() {
    if (data_.places.empty()) {
      if (report_.fatal_count() == 0) {
        report_.add(ProblemKind::kNoExamples, joined(data_.files), 0, "expected rows, found none");
      }
      return;
    }
    bad_.assign(data_.places.size(), false);
    tell_target();
    for (size_t i = 0; i < names_.size(); ++i) tell_column(i);
    if (std::find(bad_.begin(), bad_.end(), true) != bad_.end()) drop_bad_rows();
    check_target();
  }

 private:
  static std::vector<std::string> names_of(const OpenTable& table, bool header) {
    std::vector<std::string> names;
    for (size_t i = 0; i < table.first().cells.size(); ++i) {
      names.push_back(header ? std::string(trimmed(table.first().cells[i]))
                             : text_of("column ", i + 1));
    }
    return names;
  }

  // With the names that are wanted, or without any number among them.
  bool has_header(const OpenTable& table) const {
    const std::vector<std::string> names = names_of(table, true);
    const std::string& first = names_.empty() ? options_.target : names_.front();
    if (is_in(names, first) && !cell_number(first)) return true;
    return !first.starts_with("column ") &&
           std::none_of(names.begin(), names.end(),
                        [](const std::string& name) { return cell_number(name).has_value(); });
  }

  // A column by its name or, as somebody chose it, its number.
  static std::optional<size_t> place_of(const std::vector<std::string>& names,
                                        const std::string& wanted) {
    const auto at = std::find(names.begin(), names.end(), wanted);
    if (at != names.end()) return static_cast<size_t>(at - names.begin());
    size_t number = 0;
    const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
    const bool is_number = error == std::errc() && end == wanted.data() + wanted.size();
    if (is_number && number >= 1 && number <= names.size()) return number - 1;
    return {};
  }

  size_t chosen_place(const std::vector<std::string>& names, const std::string& wanted,
                      const char* option) const {
    const auto place = place_of(names, wanted);
    check_usage(place.has_value(), data_.files.back(), ": no column ", excerpt(wanted, 40), " (",
                option, "); there are ", listed(names));
    return *place;
  }

  // Where the columns of names_ stand in a file; the target behind them.
  std::vector<size_t> places_in(OpenTable& table) {
    if (names_.empty()) {
      for (const KnownColumn& column : options_.columns) names_.push_back(column.name);
    }
    const bool header = has_header(table);
    table.set_header(header);
    const std::vector<std::string> all = names_of(table, header);
    for (size_t i = 0; header && i < all.size(); ++i) {
      if (std::find(all.begin(), all.begin() + static_cast<ptrdiff_t>(i), all[i]) !=
          all.begin() + static_cast<ptrdiff_t>(i)) {
        throw DataError(table.file() + ":1", text_of("two columns are called ", excerpt(all[i])));
      }
    }
    if (names_.empty()) choose_columns(all);
    std::vector<size_t> places;
    for (const std::string& name : names_) {
      const auto at = std::find(all.begin(), all.end(), name);
      if (at == all.end()) {
        throw DataError(table.file(), text_of("expected a column ", excerpt(name, 40),
                                              ", found none of that name among ", listed(all)));
      }
      places.push_back(static_cast<size_t>(at - all.begin()));
    }
    if (!has_target()) return places;
    places.push_back(chosen_place(all, options_.target, "--target"));
    if (!data_.target) data_.target = TableColumn{.name = all[places.back()]};
    return places;
  }

  void choose_columns(const std::vector<std::string>& all) {
    std::set<size_t> left_out;
    for (const std::string& name : options_.ignored) {
      left_out.insert(chosen_place(all, name, "--ignore"));
    }
    for (const std::string& name : options_.numbers) {
      forced_[all[chosen_place(all, name, "--numbers")]] = false;
    }
    for (const std::string& name : options_.categories) {
      forced_[all[chosen_place(all, name, "--categories")]] = true;
    }
    if (has_target()) left_out.insert(chosen_place(all, options_.target, "--target"));
    for (size_t i = 0; i < all.size(); ++i) {
      if (!left_out.contains(i)) names_.push_back(all[i]);
    }
    if (names_.empty()) {
      throw DataError(data_.files.back(), "expected a column beside the target, found none");
    }
  }

  bool has_target() const { return options_.target_kind != TargetKind::kNone; }

  std::string_view cell_of(const Row& row, size_t place) const {
    const std::string_view cell = trimmed(row.cells[place]);
    return missing_.contains(lower_case_of(cell)) ? std::string_view() : cell;
  }

  void add(const Row& row, OpenTable& table, const std::vector<size_t>& places) {
    cells_.resize(names_.size());
    const std::string_view target = has_target() ? cell_of(row, places.back()) : "";
    if (has_target() && target.empty()) {
      return table.bad(
          row,
          text_of("column ", excerpt(data_.target->name, 40), ": expected the target, found a gap"),
          ProblemKind::kMissingLabel);
    }
    for (size_t i = 0; i < names_.size(); ++i) cells_[i].add(cell_of(row, places[i]));
    if (has_target()) target_cells_.add(target);
    data_.places.push_back(
        {.file = static_cast<int32_t>(data_.files.size()) - 1, .line = row.line});
  }

  void bad(size_t row, ProblemKind kind, const std::string& detail) {
    if (!options_.table.skip_bad) report(row, kind, detail);
    bad_[row] = true;
  }

  void report(size_t row, ProblemKind kind, const std::string& detail) {
    const TableData::Place& at = data_.places[row];
    report_.add(kind, data_.files[static_cast<size_t>(at.file)], at.line, detail);
  }

  void tell_target() {
    if (!has_target()) return;
    TableColumn& target = *data_.target;
    target.is_category = options_.target_kind == TargetKind::kClasses ||
                         (options_.target_kind == TargetKind::kAuto &&
                          looks_like_classes(summary_of(target_cells_)));
    if (!target.is_category) return fill_numbers(target, target_cells_);
    const std::string where = joined(data_.files);
    for (size_t row = 0; row < target_cells_.size(); ++row) {
      const auto found = labels_.index_of(target_cells_[row], [&](const std::string& detail) {
        report(row, ProblemKind::kLookAlike, detail);
      });
      target.categories.push_back(found.value_or(-1));
      check_class_count(labels_, options_.table.limits, where);
      if (found) continue;
      bad(row, ProblemKind::kUnknownLabel,
          text_of("class ", excerpt(target_cells_[row], 40), " is none of ",
                  listed(labels_.names())));
    }
    target.names = labels_.names();
    if (labels_.is_fixed()) return;
    const std::vector<int32_t> places = sort_with_places(target.names);
    for (int32_t& label : target.categories) label = places[static_cast<size_t>(label)];
  }

  void tell_column(size_t i) {
    TableColumn column{.name = names_[i]};
    const auto forced = forced_.find(names_[i]);
    if (!options_.columns.empty()) {
      column.is_category = options_.columns[i].is_category;
    } else if (forced != forced_.end()) {
      column.is_category = forced->second;
    } else {
      const CellSummary summary = summary_of(cells_[i]);
      if (const std::string why = why_useless(summary); !why.empty()) {
        data_.notes.push_back(text_of("column ", excerpt(names_[i], 40), ' ', why,
                                      ", and is left out; --numbers or --categories keeps it"));
        return;
      }
      column.is_category = summary.is_category();
    }
    column.is_category ? fill_names(column, cells_[i]) : fill_numbers(column, cells_[i]);
    cells_[i] = {};
    data_.columns.push_back(std::move(column));
  }

  void fill_numbers(TableColumn& column, const Cells& cells) {
    for (size_t row = 0; row < cells.size(); ++row) {
      const auto number = cell_number(cells[row]);
      const bool usable = cells[row].empty() || (number && std::isfinite(*number));
      column.numbers.push_back(usable ? number.value_or(kGap) : kGap);
      if (usable) continue;
      bad(row, ProblemKind::kMalformedRow,
          text_of("column ", excerpt(column.name, 40), ": expected a finite number, found ",
                  excerpt(cells[row], 40)));
    }
  }

  static void fill_names(TableColumn& column, const Cells& cells) {
    std::map<std::string_view, int32_t> numbers;
    for (size_t row = 0; row < cells.size(); ++row) {
      if (!cells[row].empty()) numbers[cells[row]] = 0;
    }
    for (auto& [name, number] : numbers) {
      number = static_cast<int32_t>(column.names.size());
      column.names.emplace_back(name);
    }
    for (size_t row = 0; row < cells.size(); ++row) {
      column.categories.push_back(cells[row].empty() ? -1 : numbers.at(cells[row]));
    }
  }

  void drop_bad_rows() {
    std::vector<int64_t> good;
    for (size_t row = 0; row < bad_.size(); ++row) {
      if (!bad_[row]) good.push_back(static_cast<int64_t>(row));
    }
    if (options_.table.skip_bad) data_.left_out += std::ssize(bad_) - std::ssize(good);
    data_ = chosen_rows(data_, good);
    if (good.empty() && report_.fatal_count() == 0) {
      report_.add(ProblemKind::kNoExamples, joined(data_.files), 0,
                  "expected rows that can be used, found none");
    }
  }

  void check_target() const {
    if (!has_target() || !data_.target->is_category || labels_.is_fixed()) return;
    if (data_.target->names.size() >= 2 || report_.fatal_count() > 0) return;
    report_.add(ProblemKind::kOneClass, joined(data_.files), 0,
                text_of("column ", excerpt(data_.target->name, 40), " holds ",
                        listed(data_.target->names), " alone"));
  }

  const TableReadOptions& options_;
  DataReport& report_;
  TableData& data_;
  std::set<std::string, std::less<>> missing_;
  LabelSet labels_;
  std::vector<std::string> names_;      // of the columns that are read
  std::map<std::string, bool> forced_;  // columns whose kind was said: whether it is categories
  std::vector<Cells> cells_;
  Cells target_cells_;
  std::vector<bool> bad_;  // rows that cannot be used
};

template <typename Value>
std::vector<Value> taken(const std::vector<Value>& values, const std::vector<int64_t>& rows) {
  std::vector<Value> some;
  if (values.empty()) return some;
  some.reserve(rows.size());
  for (const int64_t row : rows) some.push_back(values[static_cast<size_t>(row)]);
  return some;
}

TableColumn taken(const TableColumn& column, const std::vector<int64_t>& rows) {
  return {.name = column.name,
          .is_category = column.is_category,
          .numbers = taken(column.numbers, rows),
          .names = column.names,
          .categories = taken(column.categories, rows)};
}

}  // namespace

std::vector<std::string> TableReadOptions::usual_missing() {
  return {"?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"};
}

std::string TableData::where(int64_t row) const {
  const Place& at = places[static_cast<size_t>(row)];
  return text_of(files[static_cast<size_t>(at.file)], ':', at.line);
}

TableData read_table(const std::vector<std::filesystem::path>& files,
                     const TableReadOptions& options, DataReport& report) {
  TableData data;
  TableReader reader(options, report, data);
  for (const std::filesystem::path& file : files) reader.add(file);
  reader.finish();
  return data;
}

TableData chosen_rows(const TableData& data, const std::vector<int64_t>& rows) {
  TableData some{.files = data.files,
                 .places = taken(data.places, rows),
                 .notes = data.notes,
                 .left_out = data.left_out};
  for (const TableColumn& column : data.columns) some.columns.push_back(taken(column, rows));
  if (data.target) some.target = taken(*data.target, rows);
  return some;
}

std::vector<bool> held_back(const TableData& data, double share, uint64_t seed) {
  std::vector<SplitKey> keys;
  for (int64_t row = 0; row < data.rows(); ++row) {
    const bool classes = data.target && data.target->is_category;
    keys.push_back(
        {.kind = classes ? std::to_string(data.target->categories[static_cast<size_t>(row)]) : "",
         .group = std::to_string(row)});
  }
  return held_back(std::span<const SplitKey>(keys), share, seed);
}

TableReadOptions options_like(const TableData& train, TableReadOptions options) {
  for (const TableColumn& column : train.columns) {
    options.columns.push_back({.name = column.name, .is_category = column.is_category});
  }
  options.target = train.target->name;
  options.target_kind = train.target->is_category ? TargetKind::kClasses : TargetKind::kNumber;
  options.label_names = train.target->names;
  return options;
}

}  // namespace heed::data
