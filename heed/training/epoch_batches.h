// The batches of a run, epoch after epoch: what this process has of each, prepared ahead.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "heed/tasks/common/task.h"
#include "heed/training/data_loader.h"
#include "heed/training/processes/parallel.h"
#include "heed/training/training_options.h"

namespace heed::training {

class EpochBatches {
 public:
  // All of them must outlive it.
  EpochBatches(const tasks::Task& task, const TrainingOptions& options, const Parallel& parallel)
      : task_(task), options_(options), parallel_(parallel) {}

  // How many batches an epoch has, of all processes together.
  int64_t count(int64_t epoch) const { return static_cast<int64_t>(plan_of(epoch).size()); }

  // Begins an epoch with its batch number `first`.
  void open(int64_t epoch, int64_t first);
  void close() { loader_.reset(); }
  bool is_open() const { return loader_.has_value(); }
  bool has_next() const { return loader_->has_next(); }

  // The next ones, at most so many; null where nothing of a batch falls to this process.
  tasks::Batches next(int64_t most);

 private:
  using Plan = std::vector<std::vector<int64_t>>;  // the examples of each batch

  Plan plan_of(int64_t epoch) const;
  std::vector<int64_t> share_of(const std::vector<int64_t>& examples) const;

  const tasks::Task& task_;
  const TrainingOptions& options_;
  const Parallel& parallel_;
  Plan plan_;
  // Destroyed before the plan that its workers read.
  std::optional<DataLoader<std::unique_ptr<tasks::Batch>>> loader_;
};

}  // namespace heed::training
