#include "heed/data/table_column.h"

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::data {

std::optional<size_t> place_of(const WantedColumn& column, const OpenTable& table, bool header) {
  const auto& cells = table.first().cells;
  if (column.chosen == "none") return {};
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool named = header && (column.chosen.empty() ? is_among(cells[i], column.usual)
                                                        : trimmed(cells[i]) == column.chosen);
    if (named || column.chosen == std::to_string(i + 1)) return i;
  }
  check_usage(column.chosen.empty(), table.file(), ": no column ", excerpt(column.chosen, 40), " (",
              column.option, ")");
  if (header || !column.without_header || *column.without_header >= cells.size()) return {};
  return column.without_header;
}

}  // namespace heed::data
