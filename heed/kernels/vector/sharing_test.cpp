#include "heed/kernels/vector/sharing.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

namespace heed::kernels {
namespace {

constexpr double kMuch = 1e12;

TEST(Sharing, EveryTaskOnce) {
  const ThreadPool pool(4);
  for (const int64_t count : {0, 1, 2, 3, 100}) {
    for (const double operations : {0.0, 2e6, kMuch}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(count));
      for_each_task(pool, count, operations,
                    [&](int64_t task) { ++done[static_cast<size_t>(task)]; });
      for (const auto& each : done) EXPECT_EQ(each, 1);
    }
  }
}

TEST(Sharing, StretchesMakeUpTheWhole) {
  const ThreadPool pool(3);
  for (const int64_t count : {0, 1, 7, 1000}) {
    for (const double operations : {0.0, 3e5, kMuch}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(count));
      for_each_stretch(pool, count, operations, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++done[static_cast<size_t>(i)];
      });
      for (const auto& each : done) EXPECT_EQ(each, 1);
    }
  }
}

TEST(Sharing, LittleWorkStaysOnTheCallingThread) {
  const ThreadPool pool(4);
  const auto caller = std::this_thread::get_id();
  for_each_task(pool, 100, 1e5, [&](int64_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

// Many more threads than processors, each adding in its turn: a sum that depends on the order.
TEST(Turnstiles, KeepTheOrder) {
  const ThreadPool pool(16);
  for (int round = 0; round < 20; ++round) {
    constexpr int64_t kTasks = 200;
    Turnstiles turns(3);
    std::vector<int64_t> seen[3];
    for_each_task(pool, kTasks, kMuch, [&](int64_t task) {
      for (int64_t which = 0; which < 3; ++which) {
        ASSERT_TRUE(turns.wait(which, task));
        seen[which].push_back(task);
        turns.pass(which, task);
      }
    });
    for (const auto& tasks : seen) {
      ASSERT_EQ(std::ssize(tasks), kTasks);
      for (int64_t i = 0; i < kTasks; ++i) ASSERT_EQ(tasks[static_cast<size_t>(i)], i);
    }
  }
}

TEST(Turnstiles, WaitAsleep) {
  Turnstiles turns(1);
  double used = -1;
  std::thread waiting([&] {
    EXPECT_TRUE(turns.wait(0, 1));
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    used = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  turns.pass(0, 0);
  waiting.join();
  EXPECT_LT(used, 0.1);
}

TEST(Turnstiles, StopWakesWhoWaits) {
  Turnstiles turns(2);
  std::thread first([&] { EXPECT_FALSE(turns.wait(0, 5)); });
  std::thread second([&] { EXPECT_FALSE(turns.wait(1, 1)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  turns.stop();
  first.join();
  second.join();
  turns.pass(1, 0);  // by one that had begun before
  EXPECT_FALSE(turns.wait(1, 1));
}

TEST(Turnstiles, ATaskThatThrowsEndsAll) {
  const ThreadPool pool(4);
  for (int round = 0; round < 20; ++round) {
    Turnstiles turns(1);
    EXPECT_THROW(for_each_task(pool, 50, kMuch,
                               [&](int64_t task) {
                                 if (task == 3) {
                                   turns.stop();
                                   throw std::runtime_error("broken");
                                 }
                                 if (turns.wait(0, task)) turns.pass(0, task);
                               }),
                 std::runtime_error);
  }
}

}  // namespace
}  // namespace heed::kernels
