// What a training run tells those who watch it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "heed/tasks/common/task.h"

namespace heed::training {

// After each update.
struct StepReport {
  int64_t step = 0;         // updates so far
  int64_t total_steps = 0;  // of the whole run
  int64_t epoch = 0;        // from 1
  double loss = 0;          // of this step; penalties are not in it
  double mean_loss = 0;     // since the last evaluation
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping; infinite at a step that the loss scale left out
  double tokens_per_second = 0;
};

// After each evaluation.
struct Evaluation {
  int64_t step = 0;
  int64_t epoch = 0;      // that the step belongs to, from 1
  double train_loss = 0;  // mean since the evaluation before
  tasks::Metrics validation = {};
  double seconds = 0;  // since the evaluation before, this one included
  bool best = false;   // the best so far, and saved
};

struct RunReport {
  std::vector<Evaluation> evaluations;  // of the whole run, those before it was resumed too
  Evaluation best;
  int64_t steps = 0;
  int64_t resumed_at = 0;  // the step; 0: from the beginning
  double seconds = 0;      // of the whole run
  int64_t parameters = 0;
  uint64_t peak_bytes = 0;     // the most memory that the process had
  bool stopped_early = false;  // out of patience
};

// Who watches. Every function may be empty.
struct Observer {
  std::function<void(const StepReport&)> step;
  std::function<void(int64_t done, int64_t total)> validation;
  std::function<void(const Evaluation&)> evaluation;
  std::function<bool()> stop;  // asked after each step and while validating; true: save and leave
};

}  // namespace heed::training
