// Reading files that may be missing, unreadable, too large, compressed or broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace heed {

// Of what a user gives, pipes are welcome; the files of a model are files.
enum class FileKind : uint8_t { kAny, kRegular };

// The bytes of a file, at most `max_bytes` of them.
// MissingInputError: there is no such file, it is a directory, or it may not be read.
// DataError: it holds more than max_bytes, or is not of that kind. IoError: reading failed.
std::string read_file(const std::filesystem::path& file, uint64_t max_bytes,
                      FileKind kind = FileKind::kAny);

struct LineReaderOptions {
  size_t max_line_bytes = size_t{16} << 20;  // a longer line is refused, so memory stays bounded
};

// The lines of a text file, plain or gzip (told apart by the first two bytes, not by the name),
// one after the other in bounded memory; "-" is standard input. A line is handed out as soon as it
// has arrived, so a pipe can be answered line by line.
//
//   LineReader lines(file);
//   for (std::string_view line; lines.next(line);) use(line, lines.where());
//
// A line ends with \n or \r\n, which is not part of it; the last one may end without. A UTF-8 byte
// order mark at the start of the text is dropped. The bytes of a line are not checked.
//
// MissingInputError as in read_file. DataError: a line too long, behind which reading may go on;
// gzip data that is cut off or damaged; names the file and the line. IoError: reading failed.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& file, LineReaderOptions options = {});
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // The first bytes of what `next` has not given yet, after decompression and without a byte order
  // mark; the reader stays where it is. At most `count`, fewer where the text ends or is damaged.
  // kLine: of a pipe or a terminal, whose writer may wait for an answer, no more than the first
  // line that is not blank. The view is valid until the next call.
  enum class Wait : uint8_t { kAll, kLine };
  std::string_view peek(size_t count, Wait wait = Wait::kAll);

  // Whether it is a file that is there as a whole, and no pipe, terminal or device.
  bool is_whole() const;

  // Moves to the next line and sets `line` to it, or returns false at the end of the file. The
  // view is valid until the next call.
  bool next(std::string_view& line);

  // The number of the line that `next` gave last, from 1; 0 before the first.
  int64_t line_number() const;

  // The file as messages name it: its path, or "standard input".
  const std::string& name() const;

  // "reviews.tsv:12", the place of the last line for a DataError.
  std::string where() const;

 private:
  class Source;
  std::unique_ptr<Source> source_;
  LineReaderOptions options_;
  std::string buffer_;
  size_t begin_ = 0;    // the unread bytes are buffer_[begin_, buffer_.size())
  size_t scanned_ = 0;  // no \n stands before this
  bool at_end_ = false;
  int64_t line_number_ = 0;

  bool fill();
  bool bring();
  [[noreturn]] void refuse_length() const;
};

}  // namespace heed
