#include "heed/io/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "heed/base/error.h"

namespace heed {

Input::Input(const std::filesystem::path& file, FileKind kind)
    : name_(file == "-" ? "standard input" : file.string()), descriptor_(STDIN_FILENO) {
  if (file == "-") return;
  const int without_waiting = kind == FileKind::kRegular ? O_NONBLOCK : 0;
  do {
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | without_waiting);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) refuse(errno);
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    ::close(descriptor_);
    refuse(error);
  }
  if (S_ISDIR(status.st_mode)) {
    ::close(descriptor_);
    throw MissingInputError(name_ + ": is a directory, expected a file");
  }
  regular_ = S_ISREG(status.st_mode);
  if (!regular_ && kind == FileKind::kRegular) {
    ::close(descriptor_);
    throw DataError(name_, "expected a regular file, found a pipe or a device");
  }
  if (regular_) size_ = static_cast<uint64_t>(status.st_size);
}

Input::~Input() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

size_t Input::read(char* to, size_t count) {
  while (true) {
    const ssize_t got = ::read(descriptor_, to, count);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) throw IoError(name_ + ": reading failed: " + std::strerror(errno));
  }
}

void Input::refuse(int error) const {
  switch (error) {
    case ENOENT:
      throw MissingInputError(name_ + ": no such file; check the name and the folder");
    case EACCES:
    case EPERM:
      throw MissingInputError(name_ + ": may not be read (permission denied)");
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case ENXIO:
      throw MissingInputError(name_ + ": cannot be opened: " + std::strerror(error));
    default:
      throw IoError(name_ + ": opening failed: " + std::strerror(error));
  }
}

}  // namespace heed
