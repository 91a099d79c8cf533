#include "heed/io/unpacked.h"

#include "heed/base/error.h"

namespace heed {

std::string read_unpacked(const std::filesystem::path& file, uint64_t max_bytes) {
  UnpackedSource source(file);
  std::string content;
  while (source.append_to(content, source.name())) {
    if (content.size() <= max_bytes) continue;
    throw DataError(source.name(), text_of("holds more than the ", max_bytes, " bytes expected"));
  }
  return content;
}

UnpackedSource::~UnpackedSource() {
  if (inflating_) ::inflateEnd(&stream_);
}

bool UnpackedSource::append_to(std::string& out, const std::string& where) {
  if (!started_) start();
  if (inflating_) return inflate_to(out, where);
  if (used_ == filled_) refill();
  if (used_ == filled_) return false;
  out.append(raw_ + used_, filled_ - used_);
  used_ = filled_;
  return true;
}

// Two bytes tell gzip from text; a pipe may hand them over one at a time.
void UnpackedSource::start() {
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

void UnpackedSource::refill() {
  used_ = 0;
  filled_ = input_.read(raw_, kChunkBytes);
}

bool UnpackedSource::inflate_to(std::string& out, const std::string& where) {
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
bool UnpackedSource::next_member() {
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

void UnpackedSource::inflate_some(std::string& out) {
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

}  // namespace heed
