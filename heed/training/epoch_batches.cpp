#include "heed/training/epoch_batches.h"

#include <utility>

#include "heed/data/length_buckets.h"

namespace heed::training {

EpochBatches::Plan EpochBatches::plan_of(int64_t epoch) const {
  return data::length_buckets(task_.train_lengths(),
                              {.batch_size = options_.batch_size,
                               .batch_tokens = options_.batch_tokens,
                               .seed = options_.seed * 1'000'003 + static_cast<uint64_t>(epoch)});
}

// Every so many-th example, since those beside each other are of one length.
std::vector<int64_t> EpochBatches::share_of(const std::vector<int64_t>& examples) const {
  std::vector<int64_t> mine;
  const auto size = static_cast<size_t>(parallel_.data_size());
  for (auto i = static_cast<size_t>(parallel_.data_rank()); i < examples.size(); i += size) {
    mine.push_back(examples[i]);
  }
  return mine;
}

void EpochBatches::open(int64_t epoch, int64_t first) {
  plan_ = plan_of(epoch);
  loader_.emplace(DataLoaderOptions{.first = static_cast<size_t>(first),
                                    .count = plan_.size(),
                                    .num_workers = static_cast<size_t>(options_.num_workers)},
                  [this](size_t number) {
                    std::vector<int64_t> mine = share_of(plan_[number]);
                    return mine.empty() ? nullptr : task_.prepare(std::move(mine));
                  });
}

tasks::Batches EpochBatches::next(int64_t most) {
  tasks::Batches batches;
  while (static_cast<int64_t>(batches.size()) < most && loader_->has_next()) {
    batches.push_back(loader_->next());
  }
  return batches;
}

}  // namespace heed::training
