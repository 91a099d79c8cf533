#include "heed/tasks/common/batches.h"

#include <atomic>
#include <exception>
#include <mutex>

#include "heed/data/length_buckets.h"
#include "heed/ops/operator_workers.h"

namespace heed::tasks {
namespace {

// Batches that several threads take, one after the other.
class SharedBatches {
 public:
  SharedBatches(const std::vector<int64_t>& lengths, int64_t batch_size, const Progress& progress)
      : batches_(data::by_length(lengths, batch_size)),
        total_(std::ssize(lengths)),
        progress_(progress) {}

  int64_t count() const { return std::ssize(batches_); }

  // Until none is left.
  template <typename Read>
  void take(const Read& read) {
    for (int64_t i = next_++; i < count() && !stopped_; i = next_++) {
      try {
        const std::vector<int64_t>& numbers = batches_[static_cast<size_t>(i)];
        read(numbers, [this] { return stopped_.load(); });
        const std::lock_guard lock(mutex_);
        done_ += std::ssize(numbers);
        if (progress_) progress_(done_, total_);
      } catch (...) {
        fail(std::current_exception());
      }
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stopped_ = true;
  }

  std::vector<std::vector<int64_t>> batches_;
  int64_t total_;
  const Progress& progress_;
  std::atomic<int64_t> next_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;  // of what follows
  int64_t done_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void for_each_batch(const std::vector<int64_t>& lengths, int64_t batch_size,
                    const Progress& progress,
                    const std::function<void(const std::vector<int64_t>& numbers)>& read) {
  int64_t done = 0;
  for (const auto& numbers : data::by_length(lengths, batch_size)) {
    read(numbers);
    done += std::ssize(numbers);
    if (progress) progress(done, std::ssize(lengths));
  }
}

void for_each_batch_at_once(
    const std::vector<int64_t>& lengths, int64_t batch_size, const Progress& progress,
    const std::function<void(const std::vector<int64_t>& numbers, const Stopped& stopped)>& read) {
  SharedBatches batches(lengths, batch_size, progress);
  const OperatorWorkers workers;
  if (batches.count() < workers.count()) {
    batches.take(read);
  } else {
    workers.run([&](int) { batches.take(read); });
  }
  batches.rethrow();
}

Progress ProgressInParts::next(int64_t size) {
  const int64_t before = before_;
  before_ += size;
  if (!whole_) return {};
  return [&whole = whole_, total = total_, before, size](int64_t done, int64_t of) {
    whole(before + size * done / of, total);
  };
}

}  // namespace heed::tasks
