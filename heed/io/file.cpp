#include "heed/io/file.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/input.h"

namespace heed {
namespace {

constexpr size_t kChunkBytes = size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

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

// The bytes of the text: what was read, or what zlib makes of it.
class LineReader::Source {
 public:
  explicit Source(const std::filesystem::path& file) : input_(file) {}
  ~Source() {
    if (inflating_) ::inflateEnd(&stream_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::string& name() const { return input_.name(); }
  bool is_whole() const { return input_.is_regular(); }

  // Appends bytes to `out`; false at the end. Throws DataError(where, ...) for bad gzip data.
  bool append_to(std::string& out, const std::string& where) {
    if (!started_) start();
    if (inflating_) return inflate_to(out, where);
    if (used_ == filled_) refill();
    if (used_ == filled_) return false;
    out.append(raw_ + used_, filled_ - used_);
    used_ = filled_;
    return true;
  }

 private:
  // Two bytes tell gzip from text; a pipe may hand them over one at a time.
  void start() {
    started_ = true;
    while (filled_ < 2) {
      const size_t got = input_.read(raw_ + filled_, kChunkBytes - filled_);
      if (got == 0) return;
      filled_ += got;
    }
    if (raw_[0] != '\x1f' || raw_[1] != '\x8b') return;
    constexpr int kGzip = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, kGzip) != Z_OK) throw IoError(name() + ": zlib did not start");
    inflating_ = true;
  }

  void refill() {
    used_ = 0;
    filled_ = input_.read(raw_, kChunkBytes);
  }

  bool inflate_to(std::string& out, const std::string& where) {
    const size_t before = out.size();
    while (out.size() == before) {
      if (!damage_.empty()) throw DataError(where, damage_);
      if (used_ == filled_) refill();
      if (used_ == filled_) {
        if (between_members_) return false;
        damage_ = "the gzip data ends too early; the file was cut off, copy it again";
      } else if (!between_members_ || next_member()) {
        inflate_some(out);
      }
    }
    return true;
  }

  // gzip files may be concatenated, and some tools pad them with zeros.
  bool next_member() {
    if (raw_[used_] == '\0') {
      ++used_;
      padded_ = true;
      return false;
    }
    if (padded_ || raw_[used_] != '\x1f') {
      damage_ = "other data follows the end of the gzip data";
      return false;
    }
    ::inflateReset(&stream_);
    between_members_ = false;
    return true;
  }

  void inflate_some(std::string& out) {
    const size_t before = out.size();
    out.resize(before + kChunkBytes);
    stream_.next_in = reinterpret_cast<Bytef*>(raw_ + used_);
    stream_.avail_in = static_cast<uInt>(filled_ - used_);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = kChunkBytes;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    used_ = filled_ - stream_.avail_in;
    out.resize(before + kChunkBytes - stream_.avail_out);
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result == Z_MEM_ERROR) {
      throw IoError(name() + ": not enough memory to decompress");
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      // What stands before the damage is still handed out, so that the line named is the bad one.
      damage_ = text_of("the gzip data is damaged (", stream_.msg ? stream_.msg : "unexpected end",
                        "); copy or compress the file again");
    }
  }

  Input input_;
  char raw_[kChunkBytes];
  size_t used_ = 0;
  size_t filled_ = 0;
  bool started_ = false;
  bool inflating_ = false;
  bool between_members_ = false;
  bool padded_ = false;
  std::string damage_;  // what is wrong, to be said once all good lines are out
  z_stream stream_ = {};
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
                                   " bytes; is this a text file with one example a line? Of a ",
                                   "text in a single line, --max-bytes / 4 is the limit"));
}

}  // namespace heed
