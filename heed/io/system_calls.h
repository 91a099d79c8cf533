// The one seam between saving and the system: every call that changes a disk goes through it, so
// that a test can make each of them fail.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace heed {

// Each function returns what the call of the same name returns and leaves errno.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual ssize_t write(int descriptor, const void* bytes, size_t count);
  virtual int fsync(int descriptor);
  virtual int close(int descriptor);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int rename(const char* from, const char* to);
  virtual int exchange(const char* a, const char* b);  // renameat2 with RENAME_EXCHANGE
  virtual int unlink(const char* path);
  virtual int rmdir(const char* path);
  virtual int lock(int descriptor);  // flock with LOCK_EX | LOCK_NB
};

// Those of the system itself.
SystemCalls& real_system_calls();

// Throws the IoError "PATH: STEP failed: strerror(error)".
[[noreturn]] void throw_io_error(const std::filesystem::path& path, std::string_view step,
                                 int error);

// Flushes the entries of a directory (new names, renames) to the disk; 0, or the errno. File
// systems that cannot do it have nothing to flush.
int flush_directory(const std::filesystem::path& directory, SystemCalls& calls);

// Removes a file or a directory with all that is in it, without following links; what cannot be
// removed stays.
void remove_tree(const std::filesystem::path& path, SystemCalls& calls);

// Creates a directory and those above it that are missing, each flushed. IoError.
void make_directories(const std::filesystem::path& directory, SystemCalls& calls);

}  // namespace heed
