// Makes the items of a sequence ahead of their use, on worker threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace heed::training {

struct DataLoaderOptions {
  size_t first = 0;        // the item that next() returns first
  size_t count = 0;        // items are [first, count)
  size_t num_workers = 0;  // 0: next() makes each item itself
  size_t ahead = 4;        // items that are made or being made and not yet taken, for each worker
};

// next() returns make(first), make(first + 1), … each once and in this order, whatever the number
// of workers. What make() throws, next() throws in the place of that item. The destructor waits for
// the calls of make() that have begun and begins no more.
template <typename Item>
class DataLoader {
 public:
  // `make` is called on several threads at once if there are workers.
  DataLoader(const DataLoaderOptions& options, std::function<Item(size_t)> make)
      : make_(std::move(make)),
        count_(options.count),
        ahead_(std::max<size_t>(1, options.ahead) * std::max<size_t>(1, options.num_workers)),
        to_make_(options.first),
        to_take_(options.first) {
    const size_t left = count_ > options.first ? count_ - options.first : 0;
    try {
      for (size_t i = 0; i < std::min(options.num_workers, left); ++i) {
        threads_.emplace_back([this] { work(); });
      }
    } catch (...) {  // the system gives no more threads
      stop();
      throw;
    }
  }
  ~DataLoader() { stop(); }
  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  bool has_next() const { return to_take_ < count_; }

  // The next item; call it only where has_next(), and on one thread.
  Item next() {
    if (threads_.empty()) return make_(to_take_++);
    std::unique_lock lock(mutex_);
    made_.wait(lock, [this] { return ready_.count(to_take_) > 0; });
    Result result = std::move(ready_.extract(to_take_).mapped());
    ++to_take_;
    lock.unlock();
    wanted_.notify_all();
    if (result.error) std::rethrow_exception(result.error);
    return std::move(result.item);
  }

 private:
  struct Result {
    Item item{};
    std::exception_ptr error;
  };

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wanted_.wait(
          lock, [this] { return stopped_ || to_make_ >= count_ || to_make_ < to_take_ + ahead_; });
      if (stopped_ || to_make_ >= count_) return;
      const size_t number = to_make_++;
      lock.unlock();
      Result result;
      try {
        result.item = make_(number);
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      ready_.emplace(number, std::move(result));
      made_.notify_one();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wanted_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const std::function<Item(size_t)> make_;
  const size_t count_;
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable wanted_;  // an item was taken, or all is over
  std::condition_variable made_;    // an item is ready
  size_t to_make_;
  size_t to_take_;  // written by next() alone, under the lock
  bool stopped_ = false;
  std::map<size_t, Result> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace heed::training
