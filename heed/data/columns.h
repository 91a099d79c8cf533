// Which column of a table holds the text and which the label.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "heed/data/classification_data.h"
#include "heed/data/rows.h"

namespace heed::data {

// The names that a text or a label column usually has, the likeliest first; lower case.
std::span<const std::string_view> usual_text_names();
std::span<const std::string_view> usual_label_names();

struct Columns {
  size_t text = 0;
  std::optional<size_t> label;  // none: labels are not looked at
  size_t count = 1;
  bool first_row_is_header = false;
};

// Tells the columns of a table from its first row and the options. Throws UsageError where that is
// impossible; `file` is its name in the message.
Columns columns_of(const Row& first, const ReadOptions& options, std::string_view file);

// Without white space at its ends.
std::string_view trimmed(std::string_view text);

}  // namespace heed::data
