// When a run steps, validates, saves and ends.
#pragma once

#include <cstdint>

#include "heed/training/run/run_state.h"
#include "heed/training/schedule.h"
#include "heed/training/training_options.h"

namespace heed::training {

class RunPlan {
 public:
  // `batches`: of the first epoch. Where batches are made by tokens their number depends a little
  // on the epoch; the schedule takes that of the first for all. The options must outlive this.
  RunPlan(const TrainingOptions& options, int64_t batches);

  int64_t total_steps() const { return schedule_.total_steps; }

  // Throws UsageError for a schedule that is not known.
  double rate_at(int64_t step) const { return learning_rate(schedule_, step); }

  bool last_step_is_done(const RunState& state) const;
  bool is_over(const RunState& state) const;
  bool evaluation_is_due(const RunState& state) const;

  // `saved_step`: that of the newest checkpoint; -1: there is none.
  bool checkpoint_is_due(const RunState& state, int64_t saved_step) const;

 private:
  const TrainingOptions& options_;
  ScheduleOptions schedule_;
};

}  // namespace heed::training
