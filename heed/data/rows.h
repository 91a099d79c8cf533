// The rows of a text file, checked: lines that are not text are reported and left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"
#include "heed/io/file.h"

namespace heed::data {

// The lines of a file as UTF-8, whatever its encoding; without those that hold bytes that are no
// text, which are reported.
class TextLines {
 public:
  struct Options {
    CharacterEncoding encoding = CharacterEncoding::kUtf8;
    size_t max_line_bytes = LineReaderOptions().max_line_bytes;
    // Of all lines together; beyond it `next` throws DataError. None: lines are not kept.
    std::optional<Limits> limits = {};
  };
  TextLines(const std::filesystem::path& file, const Options& options, DataReport& report);

  bool next(std::string& line);

  // What the file is, as `format` and `delimiter` name it; kAuto and '\0': by its beginning, or by
  // its first line where it is a pipe that waits for answers.
  FileLayout kind(Format format, char delimiter = '\0',
                  LineReader::Wait wait = LineReader::Wait::kAll);

  // From now on lines are kept.
  void keep_within(const Limits& limits) { most_bytes_ = bytes_allowed(limits); }

  // Adds to what the lines take what a reader makes of them. DataError: more than the limits allow.
  void count(size_t bytes);

  int64_t line_number() const { return lines_.line_number(); }
  const std::string& file() const { return file_; }
  bool is_whole() const { return lines_.is_whole(); }
  LineReader& reader() { return lines_; }

  // Reports a problem of this file.
  void report(ProblemKind kind, int64_t line, std::string_view detail);

  // The same of another file that was read before.
  void report_in(std::string_view file, ProblemKind kind, int64_t line, std::string_view detail) {
    report_->add(kind, file, line, detail);
  }

  // What was assumed of this file, for people.
  void note(std::string_view what);

 private:
  bool usable(std::string_view line);

  LineReader lines_;
  std::string file_;  // for messages
  CharacterEncoding encoding_;
  DataReport* report_;
  uint64_t most_bytes_;
  uint64_t bytes_ = 0;
};

struct Row {
  std::vector<std::string> cells;
  int64_t line = 0;  // where it begins
};

// The rows of a table (kTsv, kCsv), of kLabelText (label and text) or of kText (one cell each).
class RowReader {
 public:
  virtual ~RowReader() = default;

  // Empty lines are skipped, but for kText.
  virtual bool next(Row& row) = 0;
};

// `lines` must outlive the result. UsageError for a kind without rows.
std::unique_ptr<RowReader> rows_of(TextLines& lines, const FileLayout& kind);

}  // namespace heed::data
