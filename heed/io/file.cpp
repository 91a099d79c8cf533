#include "heed/io/file.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/input.h"
#include "heed/io/unpacked.h"

namespace heed {
namespace {

constexpr size_t kChunkBytes = size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr uint64_t kMostPassed = uint64_t{1} << 30;  // of one line, lest a device is read for ever

}  // namespace

std::string read_file(const std::filesystem::path& file, uint64_t max_bytes, FileKind kind) {
  if (file == "-") throw UsageError("\"-\" is standard input, expected the name of a file");
  Input input(file, kind);
  const auto refuse_size = [&] {
    throw DataError(input.name(), text_of("holds more than the ", max_bytes, " bytes expected"));
  };
  if (input.size() > max_bytes) refuse_size();
  // The size is only a hint: the file may grow, and those of /proc say 0.
  std::string content;
  content.reserve(static_cast<size_t>(input.size()));
  char chunk[kChunkBytes];
  while (const size_t got = input.read(chunk, sizeof chunk)) {
    if (got > max_bytes - content.size()) refuse_size();
    content.append(chunk, got);
  }
  return content;
}

class LineReader::Source final : public UnpackedSource {
 public:
  using UnpackedSource::UnpackedSource;

  bool in_long_line = false;  // what stands before the next \n is of a line that was refused
};

LineReader::LineReader(const std::filesystem::path& file, LineReaderOptions options)
    : source_(std::make_unique<Source>(file)), options_(options) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

int64_t LineReader::line_number() const { return line_number_; }
bool LineReader::is_whole() const { return source_->is_whole(); }
const std::string& LineReader::name() const { return source_->name(); }
std::string LineReader::where() const { return text_of(name(), ":", line_number_); }

bool LineReader::next(std::string_view& line) {
  for (uint64_t passed = 0; source_->in_long_line;) {
    const size_t end = std::min(buffer_.find('\n', begin_), buffer_.size());
    const bool ends_here = end < buffer_.size();
    passed += end - begin_;
    begin_ = scanned_ = ends_here ? end + 1 : end;
    if (passed > kMostPassed) throw DataError(where(), "a line of more than 1 GiB");
    if (ends_here || !bring()) source_->in_long_line = false;
  }
  const std::string_view text = [&] {
    while (true) {
      const size_t end = buffer_.find('\n', scanned_);
      if (end != std::string::npos) {
        const size_t begin = std::exchange(begin_, end + 1);
        scanned_ = begin_;
        return std::string_view(buffer_).substr(begin, end + 1 - begin);
      }
      scanned_ = buffer_.size();
      if (!fill()) {
        const size_t begin = std::exchange(begin_, buffer_.size());
        return std::string_view(buffer_).substr(begin);
      }
    }
  }();
  if (text.empty()) return false;

  ++line_number_;
  line = text;
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line_number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(3);
  if (line.size() > options_.max_line_bytes) refuse_length();
  return true;
}

std::string_view LineReader::peek(size_t count, Wait wait) {
  const bool one_line = wait == Wait::kLine && !is_whole();
  const auto waiting = [&] { return std::string_view(buffer_).substr(begin_); };
  // Behind the first line that is not blank.
  const auto line_end = [&] {
    const size_t text = waiting().find_first_not_of(" \t\r\n");
    const size_t end = text == std::string_view::npos ? text : waiting().find('\n', text);
    return end == std::string_view::npos ? end : end + 1;
  };
  try {
    while (!at_end_ && waiting().size() < count &&
           !(one_line && line_end() != std::string_view::npos)) {
      bring();
    }
  } catch (const DataError&) {  // said again when `next` comes to the damage
  }
  std::string_view head = waiting().substr(0, one_line ? std::min(count, line_end()) : count);
  if (line_number_ == 0 && head.starts_with(kByteOrderMark)) head.remove_prefix(3);
  return head;
}

// Brings more bytes, or returns false if there are none.
bool LineReader::fill() {
  if (at_end_) return false;
  // Two for \r\n and three for a byte order mark, which do not count as part of the line.
  if (buffer_.size() - begin_ > options_.max_line_bytes + 5) {
    ++line_number_;
    source_->in_long_line = true;
    refuse_length();
  }
  return bring();
}

bool LineReader::bring() {
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  at_end_ = !source_->append_to(buffer_, text_of(name(), ":", line_number_ + 1));
  return !at_end_;
}

void LineReader::refuse_length() const {
  throw DataError(where(), text_of("the line is longer than ", options_.max_line_bytes,
                                   " bytes; is this a text file with one example a line?"));
}

}  // namespace heed
