#include "heed/base/thread_pool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "heed/base/waiting.h"

namespace heed {
namespace {

thread_local double work_size = std::numeric_limits<double>::infinity();
thread_local bool is_working = false;  // in the body of some pool

struct Working {
  Working() { is_working = true; }
  ~Working() { is_working = false; }
};

// Waking a thread takes the one that wakes some µs and the other until it runs some tens of µs:
// worth it for about 100 µs of work.
constexpr double kWorthWaking = 1e7;

}  // namespace

WorkSize::WorkSize(double operations) : before_(std::exchange(work_size, operations)) {}
WorkSize::~WorkSize() { work_size = before_; }

class ThreadPool::Crew {
 public:
  explicit Crew(int helpers) : wanted_(helpers) {}

  ~Crew() {
    stopping_.store(true);
    jobs_.fetch_add(1);
    jobs_.notify_all();
    for (std::thread& thread : threads_) {
      if (getpid() == owner_) {
        thread.join();
      } else {
        thread.detach();  // it did not come along into this process
      }
    }
  }

  void run(const std::function<void(int)>& body) {
    const std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock.owns_lock()) return body(0);
    start();
    open(body);
    wake_if_worth(work_size);
    try {
      const Working working;
      body(0);
    } catch (...) {
      keep(std::current_exception());
    }
    close();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  // The gate: how many helpers are inside, and whether it is closed to others.
  static constexpr uint32_t kClosed = uint32_t{1} << 31;

  void start() {
    if (!threads_.empty()) return;
    owner_ = getpid();
    for (int i = 1; i <= wanted_; ++i) threads_.emplace_back([this, i] { help(i); });
  }

  void open(const std::function<void(int)>& body) {
    body_ = &body;
    gate_.store(0, std::memory_order_release);
    jobs_.fetch_add(1);
  }

  // One helper for each kWorthWaking. What was done while helpers slept adds up, so that many small
  // pieces of work behind each other wake them, too; they are awake then for the next ones.
  void wake_if_worth(double operations) {
    const int asleep = asleep_.load();
    missed_ = asleep == 0 ? 0 : missed_ + operations;
    if (missed_ < kWorthWaking) return;
    const double worth = missed_ / kWorthWaking;
    missed_ = 0;
    if (worth >= asleep) {
      jobs_.notify_all();
    } else {
      for (int i = 0; i < static_cast<int>(worth); ++i) jobs_.notify_one();
    }
  }

  void close() {
    uint32_t inside = gate_.fetch_or(kClosed, std::memory_order_acq_rel) | kClosed;
    const auto all_left = [&] {
      inside = gate_.load(std::memory_order_acquire);
      return inside == kClosed;
    };
    if (inside == kClosed || spin_until(short_wait(), all_left)) return;
    while (!all_left()) gate_.wait(inside, std::memory_order_acquire);
  }

  bool join() {
    uint32_t inside = gate_.load(std::memory_order_relaxed);
    while ((inside & kClosed) == 0) {
      if (gate_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }

  void leave() {
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) == kClosed + 1) gate_.notify_one();
  }

  void keep(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  // The life of a helper. Behind each job, also one that it came too late for, it looks for the
  // next for a while before it sleeps.
  void help(int worker) {
    const Working working;
    uint32_t seen = 0;
    std::chrono::nanoseconds patience{0};
    while (true) {
      seen = next_job(seen, patience);
      if (stopping_.load()) return;
      if (join()) {
        try {
          (*body_)(worker);
        } catch (...) {
          keep(std::current_exception());
        }
        leave();
      }
      patience = short_wait();
    }
  }

  uint32_t next_job(uint32_t seen, std::chrono::nanoseconds patience) {
    const auto is_new = [&] { return jobs_.load() != seen; };
    if (!spin_until(patience, is_new)) {
      ++asleep_;
      jobs_.wait(seen);
      --asleep_;
    }
    return jobs_.load();
  }

  const int wanted_;
  std::vector<std::thread> threads_;
  pid_t owner_ = getpid();
  std::mutex busy_;    // held while there is a job
  double missed_ = 0;  // operations done while helpers slept
  const std::function<void(int)>* body_ = nullptr;
  std::mutex mutex_;  // of the error
  std::exception_ptr error_;

  alignas(64) std::atomic<uint32_t> jobs_{0};  // counts up; what helpers wait for
  std::atomic<int> asleep_{0};
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<uint32_t> gate_{kClosed};
};

ThreadPool::ThreadPool(int count)
    : count_(std::max(1, count)), crew_(std::make_unique<Crew>(count_ - 1)) {}

ThreadPool::~ThreadPool() = default;

int ThreadPool::count() const { return is_working ? 1 : count_; }

void ThreadPool::run(const std::function<void(int)>& body) const {
  if (count() == 1) return body(0);
  crew_->run(body);
}

}  // namespace heed
