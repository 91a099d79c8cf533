// Writing to a connection whose other end is gone raises SIGPIPE, which ends a program that does
// not expect it. Neither Gloo nor torch's store guards against it.
#pragma once

#include <csignal>
#include <ctime>

namespace heed::training {

// While it lives, SIGPIPE does not reach this thread, nor ever a thread that is begun meanwhile.
// The rest of the program, which may want it for its own pipes, keeps it.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigset_t waiting;
    sigpending(&waiting);
    was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe(), &before_);
  }

  // What came meanwhile is taken away first: it would arrive now.
  ~NoPipeSignal() {
    const timespec at_once{};
    if (!was_waiting_) sigtimedwait(&pipe(), nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  static const sigset_t& pipe() {
    static const sigset_t only = [] {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGPIPE);
      return set;
    }();
    return only;
  }

  sigset_t before_{};
  bool was_waiting_ = false;
};

}  // namespace heed::training
