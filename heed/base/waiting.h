// Waiting for another thread without taking a processor from anybody: a short look, then sleep.
#pragma once

#include <chrono>

namespace heed {

// Long enough for a thread that runs at this moment to finish a small piece of work, short beside a
// turn of the scheduler (some milliseconds).
constexpr std::chrono::microseconds kShortWait{50};

// Looks again and again whether done(), for at most `longest`; returns whether it was.
template <typename Done>
bool spin_until(std::chrono::nanoseconds longest, const Done& done) {
  using Clock = std::chrono::steady_clock;
  if (done()) return true;
  if (longest.count() <= 0) return false;
  const Clock::time_point end = Clock::now() + longest;
  do {
    for (int i = 0; i < 16; ++i) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
      if (done()) return true;
    }
  } while (Clock::now() < end);
  return false;
}

// Whether the calling thread has lately (about 20 ms) had to leave its processor to another one.
// Then somebody else could use what it would spend on looking. A system call.
bool recently_preempted();

// kShortWait, or nothing where the processors are wanted by others.
inline std::chrono::nanoseconds short_wait() {
  return recently_preempted() ? std::chrono::nanoseconds(0) : std::chrono::nanoseconds(kShortWait);
}

}  // namespace heed
