#include "heed/training/run/append_file.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace heed::training {

AppendFile::AppendFile(std::filesystem::path file, SystemCalls& calls)
    : name_(std::move(file)), calls_(calls) {
  do {
    descriptor_ = calls_.open(name_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) throw_io_error(name_, "opening", errno);
}

AppendFile::~AppendFile() { calls_.close(descriptor_); }

void AppendFile::append(std::string_view record) {
  while (!record.empty()) {
    const ssize_t written = calls_.write(descriptor_, record.data(), record.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_io_error(name_, "writing", written < 0 ? errno : ENOSPC);
    record.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace heed::training
