#include "heed/training/run/run_plan.h"

namespace heed::training {
namespace {

int64_t steps_of_run(const TrainingOptions& options, int64_t batches) {
  if (options.max_steps > 0) return options.max_steps;
  const int64_t each = options.gradient_accumulation_steps;
  return (batches + each - 1) / each * options.epochs;
}

}  // namespace

RunPlan::RunPlan(const TrainingOptions& options, int64_t batches)
    : options_(options), schedule_(schedule_of(options, steps_of_run(options, batches))) {}

bool RunPlan::last_step_is_done(const RunState& state) const {
  return options_.max_steps > 0 ? state.step >= options_.max_steps : state.epoch > options_.epochs;
}

bool RunPlan::is_over(const RunState& state) const {
  const bool impatient = options_.patience > 0 && state.since_best >= options_.patience;
  return impatient || (last_step_is_done(state) && !evaluation_is_due(state));
}

bool RunPlan::evaluation_is_due(const RunState& state) const {
  if (state.step == state.evaluated_step) return false;
  if (last_step_is_done(state)) return true;
  if (options_.eval_steps > 0) return state.step % options_.eval_steps == 0;
  return state.batch == 0;
}

bool RunPlan::checkpoint_is_due(const RunState& state, int64_t saved_step) const {
  if (options_.files.directory.empty() || state.step == saved_step) return false;
  const int64_t every = options_.files.save_steps;
  return state.step == state.evaluated_step || (every > 0 && state.step % every == 0);
}

}  // namespace heed::training
