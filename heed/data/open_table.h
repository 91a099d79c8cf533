// A table that is being read: its rows one after the other, those that cannot be used reported or
// left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "heed/data/data_report.h"
#include "heed/data/rows.h"

namespace heed::data {

class OpenTable {
 public:
  // Reads the first row; a file without one is reported (kNoExamples). DataError for JSON.
  OpenTable(const std::filesystem::path& file, const OpenTableOptions& options, DataReport& report);

  bool is_empty() const { return is_empty_; }
  const Row& first() const { return first_; }
  const std::string& file() const { return lines_.file(); }
  TextLines& lines() { return lines_; }
  const FileLayout& kind() const { return kind_; }

  // Whether the first row names the columns; else next() begins with it.
  void set_header(bool header) { waiting_ = !header; }

  // The next row that has as many cells as the first.
  bool next(Row& row);

  // Reports a row, or leaves it out.
  void bad(const Row& row, const std::string& detail,
           ProblemKind kind = ProblemKind::kMalformedRow);
  int64_t left_out() const { return left_out_; }

  // The name that stands in a cell; empty where there is none, or one with control characters,
  // which is reported. `what`: "a user".
  std::string_view name(const Row& row, size_t column, std::string_view what);

 private:
  TextLines lines_;
  bool skip_bad_;
  FileLayout kind_;
  std::unique_ptr<RowReader> rows_;
  Row first_;
  bool is_empty_ = false;
  bool waiting_ = false;  // the first row is one of data, and was not given yet
  int64_t left_out_ = 0;
};

// The decimal number that is all of a cell; none: it is no finite one.
std::optional<double> finite_number(std::string_view cell);

// Whether a cell is one of these names, whatever its case.
bool is_among(std::string_view cell, std::span<const std::string_view> names);

}  // namespace heed::data
