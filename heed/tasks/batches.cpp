#include "heed/tasks/batches.h"

#include "heed/data/length_buckets.h"

namespace heed::tasks {

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

Progress ProgressInParts::next(int64_t size) {
  const int64_t before = before_;
  before_ += size;
  if (!whole_) return {};
  return [&whole = whole_, total = total_, before, size](int64_t done, int64_t of) {
    whole(before + size * done / of, total);
  };
}

}  // namespace heed::tasks
