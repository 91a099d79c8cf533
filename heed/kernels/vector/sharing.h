// Sharing out tasks among workers, and keeping the order of additions where several tasks add to
// the same numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "heed/base/workers.h"

namespace heed::kernels {

// Calls body(task) for every task in [0, count). Tasks are begun in ascending order; so a task may
// wait for one with a smaller number, even where the workers run one after the other. Work of less
// than about 10 µs (`operations` floating-point operations in all) stays on the calling thread.
template <typename Body>
void for_each_task(const Workers& workers, int64_t count, double operations, const Body& body) {
  constexpr double kWorthWaking = 1e6;
  if (count == 1 || workers.count() == 1 || operations < kWorthWaking) {
    for (int64_t task = 0; task < count; ++task) body(task);
    return;
  }
  std::atomic<int64_t> next{0};
  workers.run([&](int) {
    for (int64_t task = next++; task < count; task = next++) body(task);
  });
}

// Counters that say whose turn it is to add to something.
class Turnstiles {
 public:
  explicit Turnstiles(int64_t count)
      : turns_(count > 0 ? std::make_unique<std::atomic<int32_t>[]>(static_cast<size_t>(count))
                         : nullptr) {}

  // Returns when all turns before `turn` of `which` have passed. False: another worker failed and
  // stop() was called; the caller should give up.
  bool wait(int64_t which, int64_t turn) const {
    const std::atomic<int32_t>& now = turns_[static_cast<size_t>(which)];
    for (int spins = 0; now.load(std::memory_order_acquire) != turn; ++spins) {
      if (stopped_.load(std::memory_order_relaxed)) return false;
      if (spins < kSpins) {
        pause();
      } else {
        std::this_thread::yield();
      }
    }
    return true;
  }

  void pass(int64_t which, int64_t turn) {
    turns_[static_cast<size_t>(which)].store(static_cast<int32_t>(turn + 1),
                                             std::memory_order_release);
  }

  void stop() { stopped_.store(true); }

 private:
  static constexpr int kSpins = 20000;  // under a millisecond
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  std::unique_ptr<std::atomic<int32_t>[]> turns_;
  std::atomic<bool> stopped_{false};
};

}  // namespace heed::kernels
