// Where a run stands, apart from the tensors: what state.json of a checkpoint holds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "heed/io/json.h"
#include "heed/tasks/common/task.h"
#include "heed/training/precision.h"
#include "heed/training/run/reports.h"
#include "heed/training/training_options.h"

namespace heed::training {

struct RunState {
  int64_t step = 0;            // updates so far
  int64_t epoch = 1;           // that the next batch belongs to
  int64_t batch = 0;           // the next one in the epoch
  int64_t evaluated_step = 0;  // the step of the last evaluation
  int64_t since_best = 0;      // evaluations
  double loss_sum = 0;         // over the batches since the last evaluation, by weight
  double weight_sum = 0;
  double seconds = 0;  // that the run took, before it was resumed too
  double seconds_at_evaluation = 0;
  int64_t average_steps = 0;
  LossScale::State loss_scale{1, 0};
  std::vector<Evaluation> evaluations;

  // The evaluation of the best model; null before the first.
  const Evaluation* best() const;
};

// The metric that decides which model is best: that of the options, or of the task.
tasks::Watched watched_in(const tasks::Task& task, const TrainingOptions& options);

// Whether the watched metric is better now; where it is the same, whether the loss is smaller.
bool is_better(const Evaluation& now, const Evaluation& best, const tasks::Watched& watched);

// What a run computes: options, and the data it is trained and validated on.
struct RunIdentity {
  Settings settings;
  int64_t examples = 0;
  std::vector<tasks::Source> sources;

  static RunIdentity of(const tasks::Task& task, const TrainingOptions& options);

  // The same and all else that several processes must have in common.
  Settings to_agree_on(tasks::Task& task, const TrainingOptions& options) const;
};

OrderedJson to_json(const RunState& state, const RunIdentity& identity);

// Throws DataError where the file cannot be used, UsageError where it belongs to a run with other
// settings or data.
RunState run_state_from(const JsonValue& json, const RunIdentity& identity);

}  // namespace heed::training
