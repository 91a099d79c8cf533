// Which column of a table of series holds what, told by its first row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/rows.h"
#include "heed/data/series/series_data.h"

namespace heed::data {

struct SeriesColumns {
  bool header = false;
  size_t count = 0;  // of all columns
  std::optional<size_t> time;
  std::vector<size_t> values;      // of a wide table
  std::vector<std::string> names;  // theirs
  std::optional<size_t> series;    // of a long table
  std::optional<size_t> value;

  bool is_long() const { return series.has_value(); }
};

// The first row is a header where one of its cells is neither a number, nor missing, nor a time.
// UsageError for a column that is not there.
SeriesColumns series_columns(const Row& first, const SeriesReadOptions& options,
                             std::string_view file);

// The number that a cell holds, infinite ones included; none where it holds anything else.
std::optional<float> number_in(std::string_view cell);
// Whether a cell says that there is no value: empty, NA, NaN, null, ...
bool is_missing(std::string_view cell);
bool is_value(std::string_view cell);  // a number or missing

}  // namespace heed::data
