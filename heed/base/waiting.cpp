#include "heed/base/waiting.h"

#include <sys/resource.h>

namespace heed {
namespace {

// Involuntary context switches of the calling thread since it began.
long preemptions() {
#ifdef RUSAGE_THREAD
  rusage usage{};
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
#else
  return 0;
#endif
}

}  // namespace

bool recently_preempted() {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLately{20};
  thread_local long counted = preemptions();
  thread_local Clock::time_point last = Clock::now() - 2 * kLately;
  const long now = preemptions();
  if (now != counted) {
    counted = now;
    last = Clock::now();
    return true;
  }
  return Clock::now() - last < kLately;
}

}  // namespace heed
