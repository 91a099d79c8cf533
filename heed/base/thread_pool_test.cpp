#include "heed/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "heed/base/waiting.h"

namespace heed {
namespace {

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(ThreadPool, EveryPieceIsDoneOnce) {
  for (const int threads : {1, 2, 3, 16}) {
    const ThreadPool pool(threads);
    EXPECT_EQ(pool.count(), threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> done(50);
      std::atomic<size_t> next{0};
      const WorkSize size(round % 2 == 0 ? 1e12 : 1);
      pool.run([&](int) {
        for (size_t i = next++; i < done.size(); i = next++) ++done[i];
      });
      for (const auto& each : done) ASSERT_EQ(each, 1);
    }
  }
}

TEST(ThreadPool, HelpersComeWhereThereIsMuchToDo) {
  const ThreadPool pool(3);
  std::atomic<int> came{0};
  pool.run([&](int) {
    ++came;
    while (came < 3) std::this_thread::yield();
  });
  EXPECT_EQ(came, 3);
}

TEST(ThreadPool, ManySmallPiecesBehindEachOtherWakeThemToo) {
  const ThreadPool pool(2);
  std::atomic<bool> helped{false};
  const auto caller = std::this_thread::get_id();
  while (!helped) {
    const WorkSize size(1e6);
    pool.run([&](int) {
      if (std::this_thread::get_id() != caller) helped = true;
    });
  }
}

// Nobody waits for a helper that has not begun: the work of more threads than there are processors
// ends although most of them cannot come at once.
TEST(ThreadPool, MoreThreadsThanProcessors) {
  const ThreadPool pool(64);
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> next{0};
    std::atomic<int> sum{0};
    pool.run([&](int) {
      for (int i = next++; i < 100; i = next++) sum += i;
    });
    ASSERT_EQ(sum, 4950);
  }
}

TEST(ThreadPool, HelpersWithoutWorkSleep) {
  const ThreadPool pool(8);
  std::atomic<int> came{0};
  pool.run([&](int) {
    ++came;
    while (came < 8) std::this_thread::yield();
  });
  const double before = cpu_seconds(RUSAGE_SELF);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  // Threads that look for work all the time would take the processors of the machine for 0.5 s
  // each.
  EXPECT_LT(cpu_seconds(RUSAGE_SELF) - before, 0.1);
}

TEST(ThreadPool, TheCallerSleepsWhileAHelperWorks) {
  const ThreadPool pool(2);
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> begun{false};
  double before = 0;
  pool.run([&](int) {
    if (std::this_thread::get_id() != caller) {
      begun = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    } else {
      while (!begun) std::this_thread::yield();
      before = cpu_seconds(RUSAGE_THREAD);
    }
  });
  EXPECT_LT(cpu_seconds(RUSAGE_THREAD) - before, 0.1);
}

TEST(ThreadPool, ThrowsWhatABodyThrewAndGoesOn) {
  const ThreadPool pool(2);
  const auto caller = std::this_thread::get_id();
  for (const bool in_helper : {false, true}) {
    std::atomic<int> came{0};
    EXPECT_THROW(pool.run([&](int) {
      ++came;
      while (came < 2) std::this_thread::yield();
      if ((std::this_thread::get_id() != caller) == in_helper) {
        throw std::runtime_error("broken");
      }
    }),
                 std::runtime_error);
  }
  std::atomic<int> came{0};
  pool.run([&](int) { ++came; });
  EXPECT_GE(came, 1);
}

TEST(ThreadPool, AWorkerThatAsksAgainWorksAlone) {
  const ThreadPool pool(2);
  pool.run([&](int) {
    EXPECT_EQ(pool.count(), 1);
    int calls = 0;
    pool.run([&](int) { ++calls; });
    EXPECT_EQ(calls, 1);
  });
  EXPECT_EQ(pool.count(), 2);
}

TEST(ThreadPool, SeveralThreadsMayAsk) {
  const ThreadPool pool(3);
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        std::atomic<int> next{0};
        pool.run([&](int) {
          for (int i = next++; i < 10; i = next++) ++sum;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 4 * 200 * 10);
}

TEST(ThreadPool, AfterAForkTheChildWorksAlone) {
  ThreadPool pool(2);
  std::atomic<int> came{0};
  pool.run([&](int) {
    ++came;
    while (came < 2) std::this_thread::yield();
  });
  const pid_t child = fork();
  if (child == 0) {
    int calls = 0;
    pool.run([&](int) { ++calls; });
    _exit(calls == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Waiting, LooksUntilItIsDoneOrTheTimeIsOver) {
  int looks = 0;
  EXPECT_TRUE(spin_until(std::chrono::seconds(10), [&] { return ++looks == 1000; }));
  EXPECT_EQ(looks, 1000);
  EXPECT_FALSE(spin_until(std::chrono::microseconds(50), [] { return false; }));
  looks = 0;
  EXPECT_FALSE(spin_until(std::chrono::nanoseconds(0), [&] { return ++looks == 2; }));
  EXPECT_EQ(looks, 1);
}

}  // namespace
}  // namespace heed
