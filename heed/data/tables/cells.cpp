#include "heed/data/tables/cells.h"

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "heed/base/error.h"

namespace heed::data {
namespace {

constexpr size_t kMostClasses = 20;  // that whole numbers stand for
constexpr size_t kFewExamples = 5;   // of a class, on average
constexpr size_t kManyNames = 20;    // of a column that might be one of names

}  // namespace

std::optional<double> cell_number(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  const bool whole = end == cell.data() + cell.size();
  if (!whole || cell.empty() || std::isnan(value)) return {};
  if (error == std::errc::result_out_of_range) {
    return cell.find_first_of("eE") != cell.npos && cell.find('-', 1) != cell.npos ? 0 : HUGE_VAL;
  }
  if (error != std::errc()) return {};
  return value;
}

CellSummary summary_of(const Cells& cells) {
  CellSummary summary{.rows = cells.size(), .counts = true, .whole = true};
  std::unordered_set<std::string_view> different;
  double before = 0;
  for (size_t row = 0; row < cells.size(); ++row) {
    const std::string_view cell = cells[row];
    if (cell.empty()) continue;
    different.insert(cell);
    const auto number = cell_number(cell);
    const bool whole = number && std::trunc(*number) == *number && std::isfinite(*number);
    summary.whole = summary.whole && whole;
    summary.counts = summary.counts && whole && (summary.filled == 0 || *number == before + 1);
    before = number.value_or(0);
    ++summary.filled;
    if (number) ++summary.numbers;
  }
  summary.different = different.size();
  return summary;
}

std::string why_useless(const CellSummary& s) {
  if (s.filled == 0) return "has no cell that is filled";
  if (s.different == 1 && s.filled == s.rows) return "has the same value in all rows";
  if (s.counts && s.filled > 2) return "counts the rows";
  if (s.is_category() && s.different > kManyNames && 2 * s.different > s.filled) {
    return text_of("has ", s.different, " different names in ", s.filled, " rows");
  }
  return "";
}

bool looks_like_classes(const CellSummary& s) {
  if (s.is_category()) return true;
  return s.whole && s.different <= kMostClasses && s.different * kFewExamples <= s.filled;
}

}  // namespace heed::data
