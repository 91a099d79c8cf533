// Tables whose rows are examples: numbers, categories and gaps, and one cell, the target, that is
// to be told from the others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"

namespace heed::data {

struct TableColumn {
  std::string name;
  bool is_category = false;
  std::vector<double> numbers = {};      // of numbers, one a row; NaN: a gap
  std::vector<std::string> names = {};   // of categories, sorted; of classes as they are fixed
  std::vector<int32_t> categories = {};  // one a row, places in `names`; −1: a gap
};

// What a model knows of a column.
struct KnownColumn {
  std::string name;
  bool is_category = false;
};

enum class TargetKind : uint8_t {
  kAuto,     // classes where a cell is no number, or all are whole ones of few different values
  kClasses,  // classification
  kNumber,   // regression
  kNone,     // not read: it is to be told
};

struct TableReadOptions {
  OpenTableOptions table = {};
  // By name in the header, or by number from 1. Without a header the columns are called "column 1",
  // "column 2", …
  std::string target = {};
  TargetKind target_kind = TargetKind::kAuto;
  std::vector<std::string> label_names = {};           // the classes, if they are known
  std::vector<std::string> ignored = {};               // columns that are not read
  std::vector<std::string> numbers = {};               // columns that hold numbers, and
  std::vector<std::string> categories = {};            // categories, whatever they look like
  std::vector<std::string> missing = usual_missing();  // gaps beside empty cells, in lower case
  // The columns that a model was trained with: these are read, by their names. Empty: all that may
  // say something, see read_table().
  std::vector<KnownColumn> columns = {};

  static std::vector<std::string> usual_missing();
};

struct TableData {
  std::vector<std::string> files = {};  // for messages
  std::vector<TableColumn> columns = {};
  std::optional<TableColumn> target = {};
  struct Place {
    int32_t file = 0;
    int64_t line = 0;
  };
  std::vector<Place> places = {};       // of the rows
  std::vector<std::string> notes = {};  // columns that were left out, and why: a line each
  int64_t left_out = 0;                 // rows, with skip_bad

  int64_t rows() const { return static_cast<int64_t>(places.size()); }
  std::string where(int64_t row) const;  // "train.csv:7"
};

// Reads files that have the same columns, whose rows add up.
//
// A first row without any number, or with the names that are looked for, is a header. A column
// holds numbers where at least 19 of 20 cells that are no gaps are numbers; what is none there is
// reported. Left out and noted, unless they are named in the options: columns without a cell, of
// one value, of row numbers, and of categories of which most stand in one row alone.
//
// Throws MissingInputError, IoError; UsageError for columns that are not there; DataError for
// damaged gzip data, what is over the limits, and files that lack a known column. Rows with another
// number of cells, without a target, with a number that is none or infinite, or an unknown class
// are reported (kColumnCount, kMissingLabel, kMalformedRow, kUnknownLabel) or, with skip_bad, left
// out; so are tables without rows (kNoExamples) and targets of one class (kOneClass).
TableData read_table(const std::vector<std::filesystem::path>& files,
                     const TableReadOptions& options, DataReport& report);

// Options that read another table as this one was: its columns, their kinds, the target and its
// classes. The table must have a target.
TableReadOptions options_like(const TableData& train, TableReadOptions options);

// These rows, in this order.
TableData chosen_rows(const TableData& data, const std::vector<int64_t>& rows);

// Which rows are held back for validation: `share` of them, of classes the same of each.
std::vector<bool> held_back(const TableData& data, double share, uint64_t seed);

}  // namespace heed::data
