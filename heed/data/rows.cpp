#include "heed/data/rows.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/long_lines.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr size_t kMaxRowBytes = size_t{16} << 20;
constexpr size_t kHeadBytes = size_t{64} << 10;  // that tell what a file is
constexpr uint64_t kRowBytes = 96;               // that keeping a row takes beside its text
constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// Latin-1 has the code points below U+0100.
std::string from_latin1(std::string_view line) {
  std::string utf8;
  utf8.reserve(line.size() + line.size() / 8);
  for (const char byte : line) append_utf8(static_cast<uint8_t>(byte), utf8);
  return utf8;
}

bool looks_like_utf16(std::string_view line) {
  return line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF");
}

class PlainRows final : public RowReader {
 public:
  explicit PlainRows(TextLines& lines) : lines_(lines) {}

  bool next(Row& row) override {
    row.cells.resize(1);
    if (!lines_.next(row.cells[0])) return false;
    row.line = lines_.line_number();
    return true;
  }

 private:
  TextLines& lines_;
};

// The next line that is not empty.
bool next_filled(TextLines& lines, std::string& line) {
  do {
    if (!lines.next(line)) return false;
  } while (line.empty());
  return true;
}

class LabelTextRows final : public RowReader {
 public:
  explicit LabelTextRows(TextLines& lines) : lines_(lines) {}

  bool next(Row& row) override {
    std::string line;
    if (!next_filled(lines_, line)) return false;
    row.line = lines_.line_number();
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    row.cells = {line.substr(0, end), end < line.size() ? line.substr(end + 1) : ""};
    return true;
  }

 private:
  TextLines& lines_;
};

class TsvRows final : public RowReader {
 public:
  explicit TsvRows(TextLines& lines) : lines_(lines) {}

  bool next(Row& row) override {
    std::string line;
    if (!next_filled(lines_, line)) return false;
    row.line = lines_.line_number();
    row.cells.clear();
    size_t begin = 0;
    for (size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', begin)) {
      row.cells.push_back(line.substr(begin, tab - begin));
      begin = tab + 1;
    }
    row.cells.push_back(line.substr(begin));
    return true;
  }

 private:
  TextLines& lines_;
};

// RFC 4180. A quote opens a cell only at its start; anywhere else it is a character like others.
class CsvRows final : public RowReader {
 public:
  CsvRows(TextLines& lines, char delimiter) : lines_(lines), delimiter_(delimiter) {}

  bool next(Row& row) override {
    std::string line;
    while (next_filled(lines_, line)) {
      row.line = lines_.line_number();
      row.cells.clear();
      if (read_row(line, row)) return true;
    }
    return false;
  }

 private:
  // Reads the row that starts with `line`, and further lines while a quote is open. Reports and
  // returns false where it is malformed.
  bool read_row(std::string& line, Row& row) {
    size_t at = 0;
    while (true) {
      row.cells.emplace_back();
      if (at < line.size() && line[at] == '"') {
        if (!read_quoted(line, at, row)) return false;
      } else {
        const size_t end = std::min(line.find(delimiter_, at), line.size());
        row.cells.back() = line.substr(at, end - at);
        at = end;
      }
      if (at == line.size()) return true;
      if (line[at] != delimiter_) {
        lines_.report(ProblemKind::kMalformedRow, lines_.line_number(),
                      text_of("expected ", described(delimiter_),
                              " or the end of the line after a closing quote, found ",
                              excerpt(std::string_view(line).substr(at), 20)));
        return false;
      }
      ++at;
    }
  }

  // Reads the quoted cell at line[at] and moves `at` behind it.
  bool read_quoted(std::string& line, size_t& at, Row& row) {
    std::string& cell = row.cells.back();
    ++at;
    while (true) {
      const size_t quote = line.find('"', at);
      cell.append(line, at, quote - at);
      if (quote == std::string::npos) {
        if (cell.size() > kMaxRowBytes || !lines_.next(line)) {
          lines_.report(ProblemKind::kMalformedRow, row.line,
                        cell.size() > kMaxRowBytes
                            ? "a quoted cell of more than 16 MiB: is its closing quote missing?"
                            : "a quoted cell that never ends: its closing quote is missing");
          return false;
        }
        cell += '\n';
        at = 0;
        continue;
      }
      at = quote + 1;
      if (at >= line.size() || line[at] != '"') return true;
      cell += '"';
      ++at;
    }
  }

  TextLines& lines_;
  char delimiter_;
};

}  // namespace

TextLines::TextLines(const std::filesystem::path& file, const Options& options, DataReport& report)
    : lines_(file, {.max_line_bytes = options.max_line_bytes}),
      file_(printable(lines_.name())),
      encoding_(options.encoding),
      report_(&report),
      most_bytes_(options.limits ? bytes_allowed(*options.limits) : kNoLimit) {}

void TextLines::report(ProblemKind kind, int64_t line, std::string_view detail) {
  report_->add(kind, file_, line, detail);
}

void TextLines::note(std::string_view what) { report_->note(text_of(file_, ": ", what)); }

FileLayout TextLines::kind(Format format, char delimiter, LineReader::Wait wait) {
  if (format == Format::kAuto && delimiter != '\0') {
    return {.format = delimiter == '\t' ? Format::kTsv : Format::kCsv, .delimiter = delimiter};
  }
  if (format != Format::kAuto && format != Format::kCsv && format != Format::kTsv &&
      format != Format::kJsonl && format != Format::kJson) {
    return {.format = format};
  }
  std::string_view head = lines_.peek(kHeadBytes, wait);
  if (head.size() == kHeadBytes) head = head.substr(0, head.rfind('\n') + 1);  // whole lines
  if (head.empty()) head = lines_.peek(kHeadBytes, wait);  // the first one is longer
  const FileLayout found = kind_of({.text = head, .name = lines_.name()});
  switch (format) {
    case Format::kAuto:
      return found;
    case Format::kCsv:
      return {.format = format,
              .delimiter = delimiter != '\0'              ? delimiter
                           : found.format == Format::kCsv ? found.delimiter
                                                          : ','};
    case Format::kTsv:
      return {.format = format, .delimiter = '\t'};
    default:  // one document and lines of JSON go by one name
      return {.format = found.format == Format::kJson ? Format::kJson : Format::kJsonl};
  }
}

void TextLines::count(size_t bytes) {
  bytes_ += bytes + kRowBytes;
  if (bytes_ <= most_bytes_) return;
  throw DataError(text_of(file_, ":", line_number()),
                  text_of("the rows so far take about ", bytes_ >> 20, " MiB of memory, more than ",
                          "the ", most_bytes_ >> 20, " MiB allowed; give more with max_bytes ",
                          "(--max-bytes), or a part of the file"));
}

bool TextLines::next(std::string& line) {
  std::string_view bytes;
  const auto refused = [&](std::string_view why) {
    report(ProblemKind::kMalformedRow, lines_.line_number(), why);
  };
  while (next_short(lines_, bytes, refused)) {
    count(bytes.size());
    if (!usable(bytes)) continue;
    line = encoding_ == CharacterEncoding::kLatin1 ? from_latin1(bytes) : std::string(bytes);
    return true;
  }
  return false;
}

bool TextLines::usable(std::string_view line) {
  if (line_number() == 1 && looks_like_utf16(line)) {
    report(ProblemKind::kNotUtf8, 1, "the file starts as UTF-16 does: convert it to UTF-8");
    return false;
  }
  const size_t nul = line.find('\0');
  if (nul != std::string_view::npos) {
    report(ProblemKind::kControlByte, line_number(),
           text_of("NUL at byte ", nul, " of the line: expected a text file"));
    return false;
  }
  const size_t valid =
      encoding_ == CharacterEncoding::kUtf8 ? valid_utf8_prefix(line) : line.size();
  if (valid == line.size()) return true;
  const size_t begin = valid > 10 ? valid - 10 : 0;
  report(ProblemKind::kNotUtf8, line_number(),
         text_of("byte ", valid, " of the line is not UTF-8: ", excerpt(line.substr(begin, 20)),
                 " (is the file in encoding latin-1?)"));
  return false;
}

std::unique_ptr<RowReader> rows_of(TextLines& lines, const FileLayout& kind) {
  switch (kind.format) {
    case Format::kLabelText:
      return std::make_unique<LabelTextRows>(lines);
    case Format::kTsv:
      return std::make_unique<TsvRows>(lines);
    case Format::kCsv:
      return std::make_unique<CsvRows>(lines, kind.delimiter);
    case Format::kText:
      return std::make_unique<PlainRows>(lines);
    default:
      throw UsageError(text_of("format ", name_of(kind.format), " has no rows"));
  }
}

}  // namespace heed::data
