// Runs of a small task for the tests of resuming: what one leaves, and whether two are the same.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/training/testing/test_task.h"
#include "heed/training/trainer.h"

namespace heed::test {

// Dropout, accumulation with a tail, an average, penalties, clipping, workers.
inline training::TrainingOptions options_in(const Folder& folder) {
  training::TrainingOptions options{.epochs = 3,
                                    .batch_size = 4,
                                    .gradient_accumulation_steps = 2,
                                    .num_workers = 2,
                                    .lr = 0.02,
                                    .max_grad_norm = 0.5,
                                    .ema_decay = 0.9,
                                    .optimizer = {.l1 = 1e-4, .l2 = 1e-3}};
  options.files = {.directory = folder / "out.run", .save_steps = 2, .logging_steps = 1};
  return options;
}

struct Outcome {
  std::vector<double> losses;  // of the steps of this process
  std::vector<float> weights;
  std::string model;  // the saved one, as bytes
  training::RunReport report;
};

// Trains from the same start; `stop_after` steps it asks to stop. 0: never.
inline Outcome run(const Folder& folder, const training::TrainingOptions& options,
                   int64_t stop_after = 0, SystemCalls& calls = real_system_calls()) {
  at::manual_seed(5);
  SmallTask task;
  task.calls = &calls;
  Outcome outcome;
  training::Observer observer;
  int64_t last = 0;
  observer.step = [&](const training::StepReport& now) {
    outcome.losses.push_back(now.loss);
    last = now.step;
  };
  observer.stop = [&] { return last == stop_after && stop_after > 0; };
  try {
    outcome.report = training::train(task, options, folder / "out", observer, calls);
    outcome.model = slurp(folder / "out/model.safetensors");
  } catch (const Interrupted& error) {
    EXPECT_NE(std::string(error.what()).find("checkpoints/step-"), std::string::npos);
  }
  outcome.weights = task.weights();
  return outcome;
}

inline training::TrainingOptions resumed(training::TrainingOptions options) {
  options.files.resume = true;
  return options;
}

inline training::TrainingOptions overwriting(training::TrainingOptions options) {
  options.files.overwrite = true;
  return options;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline void expect_same(const Outcome& expected, const Outcome& found) {
  EXPECT_TRUE(same_bits(expected.weights, found.weights));
  EXPECT_EQ(expected.model, found.model);
  EXPECT_EQ(expected.report.steps, found.report.steps);
  EXPECT_EQ(expected.report.best.step, found.report.best.step);
  ASSERT_EQ(expected.report.evaluations.size(), found.report.evaluations.size());
  for (size_t i = 0; i < expected.report.evaluations.size(); ++i) {
    const training::Evaluation& a = expected.report.evaluations[i];
    const training::Evaluation& b = found.report.evaluations[i];
    EXPECT_EQ(a.step, b.step);
    EXPECT_EQ(a.train_loss, b.train_loss);
    EXPECT_EQ(a.validation, b.validation);
    EXPECT_EQ(a.best, b.best);
  }
}

}  // namespace heed::test
