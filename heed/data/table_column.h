// Which column of an open table holds what.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "heed/data/columns.h"
#include "heed/data/open_table.h"

namespace heed::data {

// A column that a table may have.
struct WantedColumn {
  std::string_view option;    // "--node-column"
  const std::string& chosen;  // a name of the header or a number from 1; empty: told; "none": none
  std::span<const std::string_view> usual;
  std::optional<size_t> without_header;
  // What a model was trained with, as FoundColumn::name had it: taken where nothing is chosen.
  std::string_view known = {};
  // Of a table without it, as in ColumnRole; kTold: a name that was chosen then is not replaced.
  ColumnRole::Lost lost = ColumnRole::Lost::kTold;
};

struct FoundColumn {
  std::optional<size_t> place;  // none: the table has none
  // Of the header, or the number of one that was chosen by number; "none" where that was chosen.
  std::string name = {};
};

// Where it is, by the first row. Throws UsageError for one that was chosen and is not there.
FoundColumn find_column(const WantedColumn& column, const OpenTable& table, bool header);

// Whether a cell of the first row is the name that was chosen, or that a model was trained with.
bool names_column(const OpenTable& table, std::string_view chosen, std::string_view known);

}  // namespace heed::data
