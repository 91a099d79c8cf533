// Which column of a table holds what: a text and its label, or a source and its target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/file_format.h"
#include "heed/io/json.h"

namespace heed::data {

struct Row;
class TextLines;

enum class Labels : uint8_t {
  kRequired,  // a row without a label is a problem
  kNone,      // labels are not looked at (predict)
};

enum class Header : uint8_t {
  kAuto,  // told by the first row, see columns_of
  kYes,
  kNo,
};

// "auto", "yes", "no". Throws UsageError for another name.
Header header_named(std::string_view name);
std::vector<std::string> header_names();

// How a file's columns or JSON members are named, and how they were in training.
struct ColumnNames {
  // A name of the header row or of a JSON member, or the number of a column from 1. Empty: told.
  std::string text = {};
  std::string label = {};
  // What a model was trained with: taken where the file has it and nothing else is said.
  std::string known_text = {};
  std::string known_label = {};
};

// One of the two.
struct ColumnRole {
  // What becomes of a table without the column that training was told: another one is told by the
  // usual names, or the table is refused. A name that is itself a usual one is always told anew.
  enum class Lost : uint8_t { kTold, kRefused };

  std::string_view what;    // "text", in messages
  std::string_view option;  // "--text-column"
  std::string chosen;
  std::string known;
  std::span<const std::string_view> usual;
  size_t place;        // in a table of two columns without a header
  bool wanted = true;  // false: it need not be there and is not looked at
  Lost lost = Lost::kTold;
  // In a table without a header where nothing else tells it: "1"; empty: nothing does.
  std::string_view number = {};
};

struct ColumnRules {
  ColumnRole text;
  ColumnRole label;
  Header header = Header::kAuto;
  // A first row that holds one of these is no header.
  std::span<const std::string> labels = {};
};

struct Columns {
  size_t text = 0;
  std::optional<size_t> label;  // none: it is not wanted
  size_t count = 1;
  bool first_row_is_header = false;
  // As the header names them, or as they were chosen by number; empty: neither.
  std::string text_name = {};
  std::string label_name = {};
};

// Tells the columns of a table from its first row and the rules, and notes what was assumed. The
// first row is a header where it has a name that was chosen or known; or a usual name for each of
// the two that are wanted and not chosen by number; or, where no label is wanted, a usual text name
// beside cells that could all be names. Throws UsageError where the columns cannot be told.
Columns columns_of(const Row& first, const ColumnRules& rules, TextLines& lines,
                   const FileLayout& kind);

// "3" -> 2; none if it is no whole number. `option`: its name, for the UsageError for 0.
std::optional<size_t> column_number(std::string_view column, std::string_view option);

// The member of a JSON object for a role: chosen, known if it is there, or a usual one; empty
// without any.
std::string member_of(const JsonValue& object, const ColumnRole& role);

}  // namespace heed::data
