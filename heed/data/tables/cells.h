// The cells of a column as a file has them, and what they may be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heed::data {

// Texts, one behind the other in one piece of memory.
class Cells {
 public:
  void add(std::string_view cell) {
    text_ += cell;
    ends_.push_back(text_.size());
  }
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t row) const {
    const size_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(text_).substr(begin, ends_[row] - begin);
  }

 private:
  std::string text_;
  std::vector<size_t> ends_;
};

// A number, which may be infinite; none for any other text.
std::optional<double> cell_number(std::string_view cell);

// What a column of cells looks like.
struct CellSummary {
  size_t rows = 0;
  size_t filled = 0;     // cells that are no gaps
  size_t numbers = 0;    // of them, infinite ones among them
  size_t different = 0;  // of them
  bool counts = false;   // whole numbers, each one more than that before
  bool whole = false;    // all are whole numbers

  bool is_category() const { return numbers * 20 < filled * 19; }
};
CellSummary summary_of(const Cells& cells);  // a gap is an empty cell

// Why a column tells nothing; empty: it may.
std::string why_useless(const CellSummary& summary);

// Whether a target is of classes.
bool looks_like_classes(const CellSummary& summary);

}  // namespace heed::data
