#include "heed/io/system_calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "heed/base/error.h"

namespace heed {

namespace fs = std::filesystem;

int SystemCalls::open(const char* path, int flags, mode_t mode) {
  return ::open(path, flags, mode);
}
ssize_t SystemCalls::write(int descriptor, const void* bytes, size_t count) {
  return ::write(descriptor, bytes, count);
}
int SystemCalls::fsync(int descriptor) { return ::fsync(descriptor); }
int SystemCalls::close(int descriptor) { return ::close(descriptor); }
int SystemCalls::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }
int SystemCalls::rename(const char* from, const char* to) { return ::rename(from, to); }
int SystemCalls::exchange(const char* a, const char* b) {
  return ::renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}
int SystemCalls::unlink(const char* path) { return ::unlink(path); }
int SystemCalls::rmdir(const char* path) { return ::rmdir(path); }
int SystemCalls::lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB); }

SystemCalls& real_system_calls() {
  static SystemCalls calls;
  return calls;
}

void throw_io_error(const fs::path& path, std::string_view step, int error) {
  const char* advice = error == ENOSPC || error == EDQUOT ? "; free some space and try again" : "";
  throw IoError(text_of(path.string(), ": ", step, " failed: ", std::strerror(error), advice));
}

int flush_directory(const fs::path& directory, SystemCalls& calls) {
  int descriptor;
  do {
    descriptor = calls.open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return errno;
  int result;
  do {
    result = calls.fsync(descriptor);
  } while (result != 0 && errno == EINTR);
  const int error = result == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  calls.close(descriptor);
  return error;
}

void remove_tree(const fs::path& path, SystemCalls& calls) {
  std::error_code ignored;
  if (fs::symlink_status(path, ignored).type() != fs::file_type::directory) {
    calls.unlink(path.c_str());
    return;
  }
  std::vector<fs::path> children;
  for (fs::directory_iterator entry(path, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    children.push_back(entry->path());
  }
  for (const fs::path& child : children) remove_tree(child, calls);
  calls.rmdir(path.c_str());
}

void make_directories(const fs::path& directory, SystemCalls& calls) {
  std::error_code ignored;
  if (directory.empty() || fs::is_directory(directory, ignored)) return;
  make_directories(directory.parent_path(), calls);
  if (calls.mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) {
    throw_io_error(directory, "creating the folder", errno);
  }
  if (!fs::is_directory(directory, ignored)) {
    throw IoError(directory.string() + ": is a file, expected a folder");
  }
  if (const int error = flush_directory(directory.parent_path(), calls)) {
    throw_io_error(directory, "flushing the new folder to the disk", error);
  }
}

}  // namespace heed
