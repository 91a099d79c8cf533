// Trains the module of a task: epochs of batches, an optimizer, a schedule, and the best model
// kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "heed/tasks/task.h"
#include "heed/training/optimizer.h"

namespace heed::training {

struct TrainingOptions {
  int64_t epochs = 8;
  int64_t batch_size = 32;
  int64_t accumulate = 1;  // batches whose gradients are summed before an update
  double learning_rate = 1e-3;
  std::string schedule = "linear";  // see training/schedule.h
  double warmup = 0.1;              // share of all steps
  double clip_norm = 1;             // 0: gradients are not clipped
  double average = 0;               // decay of the weights' running average; 0: none
  int64_t patience = 0;             // epochs without a better model before stopping; 0: never
  uint64_t seed = 1;
  OptimizerOptions optimizer;
};

// After each update.
struct StepReport {
  int64_t step = 0;         // updates so far
  int64_t total_steps = 0;  // of the whole run
  int64_t epoch = 0;        // from 1
  double loss = 0;          // of this step
  double mean_loss = 0;     // over this epoch so far
  double learning_rate = 0;
  double gradient_norm = 0;
  double tokens_per_second = 0;
};

// After each epoch.
struct EpochReport {
  int64_t epoch = 0;
  int64_t epochs = 0;
  double train_loss = 0;
  tasks::Metrics validation;
  double seconds = 0;  // of this epoch, validation included
  bool best = false;   // the best so far, and saved
};

struct RunReport {
  std::vector<EpochReport> epochs;
  EpochReport best;
  int64_t steps = 0;
  double seconds = 0;
  int64_t parameters = 0;
};

// Who watches. Every function may be empty.
struct Observer {
  std::function<void(const StepReport&)> step;
  std::function<void(int64_t done, int64_t total)> validation;
  std::function<void(const EpochReport&)> epoch;
  std::function<bool()> stop;  // asked after each step; true: save and leave
};

// Trains and leaves the best model in `directory`. The same options, data and number of threads
// give the same model, bit for bit. Throws UsageError for options that cannot be used, Interrupted
// where the observer asked to stop (the best model so far stays), and Error where the loss is no
// number.
RunReport train(tasks::Task& task, const TrainingOptions& options,
                const std::filesystem::path& directory, const Observer& observer = {});

}  // namespace heed::training
