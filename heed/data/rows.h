// The rows of a text file, checked: lines that are not text are reported and left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/classification_data.h"
#include "heed/data/data_report.h"
#include "heed/io/file.h"

namespace heed::data {

// The lines of a file as UTF-8, whatever its encoding; without those that hold bytes that are no
// text, which are reported.
class TextLines {
 public:
  TextLines(const std::filesystem::path& file, Encoding encoding, DataReport& report);

  bool next(std::string& line);

  int64_t line_number() const { return lines_.line_number(); }
  const std::string& file() const { return lines_.name(); }

  // Reports a problem of this file.
  void report(ProblemKind kind, int64_t line, std::string_view detail);

 private:
  bool usable(std::string_view line);

  LineReader lines_;
  Encoding encoding_;
  DataReport* report_;
};

struct Row {
  std::vector<std::string> cells;
  int64_t line = 0;  // where it begins
};

// The rows of a table (kTsv, kCsv), of kLabelText (label and text) or of kText (one cell).
class Rows {
 public:
  virtual ~Rows() = default;

  // Empty lines are skipped, but for kText.
  virtual bool next(Row& row) = 0;
};

// `lines` must outlive the result. `format` is none of kByExtension and kJsonl.
std::unique_ptr<Rows> rows_of(TextLines& lines, Format format);

}  // namespace heed::data
