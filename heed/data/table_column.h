// Which column of an open table holds what.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "heed/data/open_table.h"

namespace heed::data {

// A column that a table may have.
struct WantedColumn {
  std::string_view option;    // "--node-column"
  const std::string& chosen;  // a name of the header or a number from 1; empty: told; "none": none
  std::span<const std::string_view> usual;
  std::optional<size_t> without_header;
};

// Its place in the first row, where it has one. Throws UsageError for a chosen one that is not
// there.
std::optional<size_t> place_of(const WantedColumn& column, const OpenTable& table, bool header);

}  // namespace heed::data
