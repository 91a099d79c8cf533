// Sharing out tasks among workers, and keeping the order of additions where several tasks add to
// the same numbers.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

#include "heed/base/thread_pool.h"
#include "heed/base/waiting.h"
#include "heed/base/workers.h"

namespace heed::kernels {

// Calls body(task) for every task in [0, count). Tasks are begun in ascending order; so a task may
// wait for one with a smaller number, even where the workers run one after the other. Work of less
// than about 10 µs (`operations` floating-point operations in all) stays on the calling thread.
template <typename Body>
void for_each_task(const Workers& workers, int64_t count, double operations, const Body& body) {
  constexpr double kWorthSharing = 1e6;
  if (count <= 1 || operations < kWorthSharing || workers.count() == 1) {
    for (int64_t task = 0; task < count; ++task) body(task);
    return;
  }
  std::atomic<int64_t> next{0};
  const WorkSize size(operations);
  workers.run([&](int) {
    for (int64_t task = next++; task < count; task = next++) body(task);
  });
}

// Calls body(begin, end) for stretches that make up [0, count), several for each worker, none of
// less than about 1 µs.
template <typename Body>
void for_each_stretch(const Workers& workers, int64_t count, double operations, const Body& body) {
  constexpr double kLeast = 1e5;
  const auto most = static_cast<int64_t>(std::min(8.0 * workers.count(), operations / kLeast));
  const int64_t stretches = std::clamp<int64_t>(most, 1, std::max<int64_t>(1, count));
  for_each_task(workers, stretches, operations, [&](int64_t stretch) {
    body(count * stretch / stretches, count * (stretch + 1) / stretches);
  });
}

// Counters that say whose turn it is to add to something.
class Turnstiles {
 public:
  explicit Turnstiles(int64_t count)
      : count_(count),
        turns_(count > 0 ? std::make_unique<std::atomic<int32_t>[]>(static_cast<size_t>(count))
                         : nullptr) {}

  // Returns when all turns before `turn` of `which` have passed. False: another worker failed and
  // stop() was called; the caller should give up.
  bool wait(int64_t which, int64_t turn) const {
    const std::atomic<int32_t>& now = turns_[static_cast<size_t>(which)];
    const auto wanted = static_cast<int32_t>(turn);
    int32_t seen = 0;
    const auto is_over = [&] {
      seen = now.load(std::memory_order_acquire);
      return seen == wanted || seen == kStopped;
    };
    if (!is_over() && !spin_until(short_wait(), is_over)) {
      while (!is_over()) now.wait(seen, std::memory_order_acquire);
    }
    return seen == wanted;
  }

  // To be called by the one whose turn it is.
  void pass(int64_t which, int64_t turn) {
    std::atomic<int32_t>& now = turns_[static_cast<size_t>(which)];
    auto mine = static_cast<int32_t>(turn);
    if (now.compare_exchange_strong(mine, mine + 1, std::memory_order_acq_rel)) now.notify_all();
  }

  void stop() {
    for (int64_t i = 0; i < count_; ++i) {
      turns_[static_cast<size_t>(i)].store(kStopped);
      turns_[static_cast<size_t>(i)].notify_all();
    }
  }

 private:
  static constexpr int32_t kStopped = std::numeric_limits<int32_t>::min();

  int64_t count_;
  std::unique_ptr<std::atomic<int32_t>[]> turns_;
};

}  // namespace heed::kernels
