#include "heed/training/run/run_plan.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::training {
namespace {

TEST(RunPlan, CountsTheStepsOfAllEpochs) {
  TrainingOptions options{.epochs = 3, .gradient_accumulation_steps = 4};
  EXPECT_EQ(RunPlan(options, 8).total_steps(), 6);
  EXPECT_EQ(RunPlan(options, 9).total_steps(), 9);  // the last step of an epoch has what is left
  options.max_steps = 5;
  EXPECT_EQ(RunPlan(options, 9).total_steps(), 5);
}

TEST(RunPlan, ValidatesAndSavesAfterEachEpoch) {
  TrainingOptions options{.epochs = 2};
  options.files.directory = "run";
  const RunPlan plan(options, 4);
  RunState state{.step = 3, .batch = 3};
  EXPECT_FALSE(plan.evaluation_is_due(state));
  EXPECT_FALSE(plan.checkpoint_is_due(state, -1));
  state = {.step = 4, .epoch = 2, .batch = 0};
  EXPECT_TRUE(plan.evaluation_is_due(state));
  state.evaluated_step = 4;
  EXPECT_FALSE(plan.evaluation_is_due(state));
  EXPECT_TRUE(plan.checkpoint_is_due(state, -1));
  EXPECT_FALSE(plan.checkpoint_is_due(state, 4));
  EXPECT_FALSE(plan.is_over(state));
}

TEST(RunPlan, EndsOnceTheLastStepIsValidated) {
  const TrainingOptions options{.max_steps = 7, .eval_steps = 5};
  const RunPlan plan(options, 4);
  RunState state{.step = 7, .epoch = 2, .batch = 3, .evaluated_step = 5};
  EXPECT_TRUE(plan.last_step_is_done(state));
  EXPECT_TRUE(plan.evaluation_is_due(state));
  EXPECT_FALSE(plan.is_over(state));
  state.evaluated_step = 7;
  EXPECT_TRUE(plan.is_over(state));
}

TEST(RunPlan, SavesAsOftenAsAsked) {
  TrainingOptions options;
  options.files.directory = "run";
  options.files.save_steps = 3;
  const RunPlan plan(options, 100);
  EXPECT_TRUE(plan.checkpoint_is_due({.step = 6, .batch = 6}, 3));
  EXPECT_FALSE(plan.checkpoint_is_due({.step = 7, .batch = 7}, 6));
  options.files.directory = "";
  EXPECT_FALSE(plan.checkpoint_is_due({.step = 6, .batch = 6}, 3));
}

TEST(RunPlan, LosesItsPatience) {
  const TrainingOptions options{.epochs = 9, .patience = 2};
  const RunPlan plan(options, 4);
  EXPECT_FALSE(plan.is_over({.step = 8, .epoch = 3, .evaluated_step = 8, .since_best = 1}));
  EXPECT_TRUE(plan.is_over({.step = 8, .epoch = 3, .evaluated_step = 8, .since_best = 2}));
}

TEST(RunPlan, RefusesAnUnknownSchedule) {
  const TrainingOptions options{.lr_scheduler = "sawtooth"};
  EXPECT_THROW(RunPlan(options, 4).rate_at(1000), UsageError);  // behind the warm-up
}

}  // namespace
}  // namespace heed::training
