// Time series in tables: a row for each time, a column for each series.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"
#include "heed/data/series/time_format.h"

namespace heed::data {

struct SeriesReadOptions {
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  char delimiter = '\0';
  // The column of times: a name of the header, or a number from 1; "none": there is none. Empty:
  // the first column whose first cell is no plain decimal number but a time, or one named date,
  // time, datetime, timestamp, ds, month, day or year.
  std::string time_column = {};
  // The series to read, in this order: names of the header or numbers from 1. Empty: all others.
  std::vector<std::string> columns = {};
  // A long table, a row for each time of each series: the columns that hold the name of the series
  // and its value. Both or neither.
  std::string series_column = {};
  std::string value_column = {};
  // Rows that cannot be used are left out and counted, instead of being errors.
  bool skip_bad = false;
  Limits limits = {};
};

// Evenly spaced and without gaps.
struct SeriesData {
  std::string file;
  std::vector<std::string> names;  // S
  std::vector<float> values;       // (T, S)
  std::vector<int64_t> known;      // S: rows up to the last one with a value that is not filled
  std::optional<TimeFormat> time_format;
  std::string time_column;  // its name, empty without a header
  int64_t first_time = 0;   // of the first row; without times 0, and each row counts 1
  TimeStep step;

  int64_t filled = 0;      // missing values that were filled
  int64_t added_rows = 0;  // times that were missing between others
  int64_t left_out = 0;    // rows, with skip_bad

  int64_t length() const { return names.empty() ? 0 : std::ssize(values) / std::ssize(names); }
  // The time of a row, also of one after the last, as the file writes times.
  std::string time_of(int64_t row) const;
};

// Reads a table with or without a header, a number on each line, or one line of numbers, which is
// one series. Cells without a number (empty, NA, N/A, NaN, null, none, -, ?) are missing.
//
// What is missing is filled: with the value before it, at the beginning with the first one that is
// there. Times must rise; their step is the commonest distance, and times that it says are missing
// are added as rows of missing values.
//
// Throws MissingInputError, IoError; DataError for damaged gzip data and what is over the limits;
// UsageError for columns that are not there. Cells that are no number or not finite, rows with
// another number of cells, and times that are written differently, do not rise or do not stand on
// the grid of their step are reported (kMalformedRow, kColumnCount), and what is returned is made
// of the other rows. A table without rows or with a series without any value is reported
// (kNoExamples), and its length is 0.
SeriesData read_series(const std::filesystem::path& file, const SeriesReadOptions& options,
                       DataReport& report);

}  // namespace heed::data
