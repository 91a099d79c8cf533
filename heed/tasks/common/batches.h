// Examples by their numbers, a batch at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "heed/tasks/common/task.h"

namespace heed::tasks {

// For evaluation, where an example is short.
inline constexpr int64_t kEvaluationBatch = 64;

// Gives every example to `read` once, in batches of similar length (data::by_length); `progress`
// counts examples and is told behind each batch. For evaluation, where the order does not matter.
void for_each_batch(const std::vector<int64_t>& lengths, int64_t batch_size,
                    const Progress& progress,
                    const std::function<void(const std::vector<int64_t>& numbers)>& read);

// True once another batch has failed: long work asks it, and gives up by any exception.
using Stopped = std::function<bool()>;

// The same with several batches at a time, one on each of torch's threads: where a batch is too
// small to keep all threads busy, this is faster. One after the other, with all threads each, where
// there are fewer batches than threads. The batches with the longest examples are begun first.
// `progress` is told by one thread at a time. What the first batch that fails has thrown is thrown
// here when all have returned.
void for_each_batch_at_once(
    const std::vector<int64_t>& lengths, int64_t batch_size, const Progress& progress,
    const std::function<void(const std::vector<int64_t>& numbers, const Stopped& stopped)>& read);

// One progress of a whole that is gone through part by part, whatever each part counts in.
class ProgressInParts {
 public:
  ProgressInParts(const Progress& whole, int64_t total) : whole_(whole), total_(total) {}

  // That of the next part, which is `size` of the total.
  Progress next(int64_t size);

 private:
  const Progress& whole_;
  int64_t total_;
  int64_t before_ = 0;  // of the total, that the parts before the next one are
};

// The items with these numbers.
template <typename T>
std::vector<const T*> chosen(const std::vector<T>& items, const std::vector<int64_t>& numbers) {
  std::vector<const T*> some;
  some.reserve(numbers.size());
  for (const int64_t i : numbers) some.push_back(&items[static_cast<size_t>(i)]);
  return some;
}

}  // namespace heed::tasks
