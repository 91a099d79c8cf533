// The bytes of a file, plain or gzip (told apart by the first two bytes, not by the name).
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "heed/io/input.h"

namespace heed {

// All that a file holds, without gzip around it, at most `max_bytes`: no more is unpacked.
// MissingInputError, IoError as read_file(); DataError: it holds more, or gzip data that is cut off
// or damaged.
std::string read_unpacked(const std::filesystem::path& file, uint64_t max_bytes);

// The same some at a time: what was read, or what zlib makes of it.
class UnpackedSource {
 public:
  explicit UnpackedSource(const std::filesystem::path& file) : input_(file) {}
  ~UnpackedSource();
  UnpackedSource(const UnpackedSource&) = delete;
  UnpackedSource& operator=(const UnpackedSource&) = delete;

  const std::string& name() const { return input_.name(); }
  bool is_whole() const { return input_.is_regular(); }

  // Appends bytes to `out`; false at the end. Throws DataError(where, ...) for bad gzip data.
  bool append_to(std::string& out, const std::string& where);

 private:
  static constexpr size_t kChunkBytes = size_t{64} << 10;

  void start();
  void refill();
  bool inflate_to(std::string& out, const std::string& where);
  bool next_member();
  void inflate_some(std::string& out);

  Input input_;
  char raw_[kChunkBytes];
  size_t used_ = 0;
  size_t filled_ = 0;
  bool started_ = false;
  bool inflating_ = false;
  bool between_members_ = false;
  bool padded_ = false;
  std::string damage_;  // what is wrong, to be said once all that is good is out
  z_stream stream_ = {};
};

}  // namespace heed
