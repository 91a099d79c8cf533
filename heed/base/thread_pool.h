// Threads of Heed's own that help where there is work, and cost nothing where the machine is busy
// with other things.
#pragma once

#include <cstdint>
#include <memory>

#include "heed/base/workers.h"

namespace heed {

// Says, while it lives, about how many floating-point operations the work is that this thread hands
// to a pool: little work wakes nobody. Without it, work counts as much.
class WorkSize {
 public:
  explicit WorkSize(double operations);
  ~WorkSize();
  WorkSize(const WorkSize&) = delete;
  WorkSize& operator=(const WorkSize&) = delete;

 private:
  double before_;
};

// OpenMP's pool waits at the end of each parallel region for every one of its threads, also for
// those that the scheduler has not let in yet, and its threads look for work without sleep for
// milliseconds; beside another busy process that costs many times what the threads gain. Here
//
//   - the thread that asks does the work itself; a helper that comes in time takes part of it, and
//     only helpers that began are waited for;
//   - whoever waits looks for kShortWait at most and then sleeps, at once where its processor is
//     wanted by others (waiting.h);
//   - helpers asleep are woken only when what they missed was worth it.
//
// May be used from several threads: while one is being helped, the others work alone. A worker that
// asks again works alone, too. After a fork the child works alone.
class ThreadPool final : public Workers {
 public:
  // `count` threads, the calling one included; at least 1. The others start at the first use.
  explicit ThreadPool(int count);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int count() const override;
  // body takes work until none is left: it is called on the calling thread and on the helpers that
  // come before the calling thread is through, in each at most once.
  void run(const std::function<void(int worker)>& body) const override;

 private:
  class Crew;

  int count_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace heed
