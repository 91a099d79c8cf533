// Ctrl-C (SIGINT) and SIGTERM as a flag that long work looks at.
#pragma once

namespace heed::cli {

// While one of these lives, the first signal only sets the flag; the second ends the program.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool interrupted();
};

}  // namespace heed::cli
