// System calls that fail on request, for the tests of saving.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <string>

#include "heed/io/system_calls.h"

namespace heed::test {

class FaultyCalls final : public SystemCalls {
 public:
  enum class Fault {
    kOnce,     // the call at `at` fails
    kForever,  // it and all after it fail and change nothing: the disk is gone
    kKill      // the process is killed in place of the call
  };
  struct Plan {
    int at = std::numeric_limits<int>::max();     // which call, from 0
    int later = std::numeric_limits<int>::max();  // another one that fails too
    int error = EIO;
    Fault fault = Fault::kOnce;
    bool has_exchange = true;                                    // RENAME_EXCHANGE is there
    size_t most_per_write = std::numeric_limits<size_t>::max();  // short writes
    bool interrupts = false;                                     // every other call: EINTR
  };
  explicit FaultyCalls(Plan plan) : plan_(plan) {}

  int count() const { return count_; }  // calls made so far
  bool has_failed() const { return count_ > plan_.at; }
  bool has_failed_later() const { return count_ > plan_.later; }
  const std::string& failed_call() const { return failed_call_; }  // the name of the first that did

  int open(const char* path, int flags, mode_t mode) override {
    return interrupted() || fails("open") ? -1 : SystemCalls::open(path, flags, mode);
  }
  ssize_t write(int descriptor, const void* bytes, size_t count) override {
    if (interrupted() || fails("write")) return -1;
    return SystemCalls::write(descriptor, bytes, std::min(count, plan_.most_per_write));
  }
  int fsync(int descriptor) override {
    return interrupted() || fails("fsync") ? -1 : SystemCalls::fsync(descriptor);
  }
  int close(int descriptor) override {  // closes even if it says that it failed, as Linux does
    const bool failed = fails("close");
    const int error = errno;
    const int result = SystemCalls::close(descriptor);
    if (failed) errno = error;
    return failed ? -1 : result;
  }
  int mkdir(const char* path, mode_t mode) override {
    return fails("mkdir") ? -1 : SystemCalls::mkdir(path, mode);
  }
  int rename(const char* from, const char* to) override {
    return fails("rename") ? -1 : SystemCalls::rename(from, to);
  }
  int exchange(const char* a, const char* b) override {
    if (fails("exchange")) return -1;
    errno = EINVAL;
    return plan_.has_exchange ? SystemCalls::exchange(a, b) : -1;
  }
  int unlink(const char* path) override { return fails("unlink") ? -1 : SystemCalls::unlink(path); }
  int rmdir(const char* path) override { return fails("rmdir") ? -1 : SystemCalls::rmdir(path); }
  int lock(int descriptor) override { return fails("lock") ? -1 : SystemCalls::lock(descriptor); }

 private:
  bool fails(const char* name) {
    const int number = count_++;
    if (number == plan_.at && plan_.fault == Fault::kKill) ::kill(::getpid(), SIGKILL);
    const bool failed = number == plan_.at || number == plan_.later ||
                        (number > plan_.at && plan_.fault == Fault::kForever);
    if (failed && failed_call_.empty()) failed_call_ = name;
    if (failed) errno = plan_.error;
    return failed;
  }
  bool interrupted() {
    interrupt_ = plan_.interrupts && !interrupt_;
    if (interrupt_) errno = EINTR;
    return interrupt_;
  }

  Plan plan_;
  int count_ = 0;
  std::string failed_call_;
  bool interrupt_ = false;
};

}  // namespace heed::test
