// An input file with the errors that this folder promises: MissingInputError where there is
// nothing to read, IoError where reading fails. Used inside this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "heed/io/file.h"

namespace heed {

class Input {
 public:
  // Opens a file for reading; "-" is standard input, which stays open at the end. DataError where
  // only a regular file will do and it is another: that is said at once, where opening a pipe would
  // wait for somebody to write into it.
  explicit Input(const std::filesystem::path& file, FileKind kind = FileKind::kAny);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  const std::string& name() const { return name_; }
  int descriptor() const { return descriptor_; }
  bool is_regular() const { return regular_; }  // and not a pipe or a device
  uint64_t size() const { return size_; }       // of a regular file when it was opened, else 0

  // Up to `count` bytes, as soon as there are any; 0 at the end.
  size_t read(char* to, size_t count);

 private:
  [[noreturn]] void refuse(int error) const;

  std::string name_;
  int descriptor_;
  bool regular_ = false;
  uint64_t size_ = 0;
};

}  // namespace heed
