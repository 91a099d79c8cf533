// Whatever ends a run, resuming it gives the bits of a run that was never interrupted.
// ctest-timeout: 600

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <random>

#include "heed/base/error.h"
#include "heed/io/testing/faulty_calls.h"
#include "heed/io/testing/test_files.h"
#include "heed/training/run/run_log.h"
#include "heed/training/testing/test_runs.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;
using test::expect_same;
using test::FaultyCalls;
using test::Folder;
using test::options_in;
using test::Outcome;
using test::overwriting;
using test::resumed;
using test::run;
using test::SmallTask;

TEST(Resume, AStopAtAnyStepChangesNoBit) {
  for (const char* optimizer : {"adamw", "sgd"}) {
    for (const int64_t eval_steps : {0, 2}) {
      const auto options = [&](const Folder& folder) {
        TrainingOptions all = options_in(folder);
        all.optimizer.name = optimizer;
        all.eval_steps = eval_steps;
        return all;
      };
      const Folder whole;
      const Outcome expected = run(whole, options(whole));
      ASSERT_EQ(expected.losses.size(), 9U);
      for (int64_t stop = 1; stop < 9; ++stop) {
        SCOPED_TRACE(text_of(optimizer, " stopped after step ", stop));
        const Folder folder;
        std::vector<double> losses = run(folder, options(folder), stop).losses;
        EXPECT_EQ(losses.size(), static_cast<size_t>(stop));
        const Outcome rest = run(folder, resumed(options(folder)));
        EXPECT_EQ(rest.report.resumed_at, stop);
        losses.insert(losses.end(), rest.losses.begin(), rest.losses.end());
        EXPECT_EQ(losses, expected.losses);
        expect_same(expected, rest);
        const auto log = read_log(folder / "out.run").at("loss");
        EXPECT_EQ(log.values, expected.losses);
        EXPECT_EQ(log.steps, (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
      }
    }
  }
}

TEST(Resume, AStopWhileValidatingIsMadeUpFor) {
  const Folder whole;
  const Outcome expected = run(whole, options_in(whole));
  const Folder folder;
  {
    at::manual_seed(5);
    SmallTask task;
    bool validating = false;
    Observer observer;
    observer.validation = [&](int64_t, int64_t) { validating = true; };
    observer.stop = [&] { return validating; };
    EXPECT_THROW(train(task, options_in(folder), folder / "out", observer), Interrupted);
    EXPECT_TRUE(fs::exists(folder / "out/model.safetensors"));  // as it is, not validated
  }
  expect_same(expected, run(folder, resumed(options_in(folder))));
}

TEST(Resume, BeginsWhereThereIsNothing) {
  const Folder whole;
  const Outcome expected = run(whole, options_in(whole));
  const Folder folder;
  const Outcome found = run(folder, resumed(options_in(folder)));
  EXPECT_EQ(found.losses, expected.losses);
  expect_same(expected, found);
  const Outcome again = run(folder, resumed(options_in(folder)));  // nothing is left to do
  EXPECT_TRUE(again.losses.empty());
  EXPECT_EQ(again.report.steps, 9);
}

TEST(Resume, TheNumberOfWorkersMayChangeAndTheRunMayGetLonger) {
  const Folder whole;
  TrainingOptions longer = options_in(whole);
  longer.lr_scheduler = "constant";
  longer.warmup_steps = 2;
  longer.epochs = 4;
  const Outcome expected = run(whole, longer);
  const Folder folder;
  TrainingOptions options = longer;
  options.files.directory = folder / "out.run";
  options.epochs = 3;
  run(folder, options);
  options.epochs = 4;
  options.num_workers = 0;
  expect_same(expected, run(folder, resumed(options)));
}

TEST(Resume, RefusesAnotherRunByTheNameOfWhatDiffers) {
  const Folder folder;
  TrainingOptions options = options_in(folder);
  options.files.settings = {{"--d-model", "64"}};
  run(folder, options, 4);
  const auto refused = [&](const std::function<void(TrainingOptions&)>& change) {
    TrainingOptions other = resumed(options);
    change(other);
    return test::message_of<UsageError>([&] { run(folder, other); });
  };
  EXPECT_NE(refused([](auto& o) { o.batch_size = 5; }).find("batch_size '4', now it is '5'"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.lr = 1; }).find("lr"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.files.settings[0].second = "128"; }).find("--d-model '64'"),
            std::string::npos);
  at::manual_seed(5);
  SmallTask more(24);
  EXPECT_NE(test::message_of<UsageError>([&] {
              train(more, resumed(options), folder / "out");
            }).find("training data"),
            std::string::npos);
}

TEST(Resume, ARunThatHasNotEndedIsNeverOverwritten) {
  const Folder folder;
  run(folder, options_in(folder), 4);
  EXPECT_NE(test::message_of<UsageError>([&] {
              run(folder, options_in(folder));
            }).find("stopped at step 4; resume it"),
            std::string::npos);
  run(folder, resumed(options_in(folder)));
  // Nor is one that has ended, or the model alone, unless somebody says so.
  const auto refusal = [&](const TrainingOptions& options) {
    return test::message_of<UsageError>([&] { run(folder, options); });
  };
  EXPECT_NE(refusal(options_in(folder)).find("holds a trained model"), std::string::npos);
  fs::rename(folder / "out.run", folder / "elsewhere");
  EXPECT_NE(refusal(options_in(folder)).find("replace it with --overwrite"), std::string::npos);
  EXPECT_NE(refusal(resumed(options_in(folder))).find("no checkpoint to go on from"),
            std::string::npos);
  fs::remove_all(folder / "out.run");
  fs::rename(folder / "elsewhere", folder / "out.run");
  const Outcome anew = run(folder, overwriting(options_in(folder)));
  EXPECT_EQ(anew.losses.size(), 9U);
  EXPECT_EQ(anew.report.resumed_at, 0);
  EXPECT_EQ(read_log(folder / "out.run").at("loss").values, anew.losses);
}

// A run that has ended and was made longer has not ended any more.
TEST(Resume, ALengthenedRunThatStoppedIsNotOverwrittenEither) {
  const Folder folder;
  TrainingOptions options = options_in(folder);
  options.lr_scheduler = "constant";
  options.warmup_steps = 2;
  run(folder, options);
  options.epochs = 5;
  EXPECT_EQ(run(folder, resumed(options), 11).losses.size(), 2U);
  EXPECT_FALSE(fs::exists(folder / "out.run/summary.json"));
  EXPECT_NE(test::message_of<UsageError>([&] { run(folder, options); }).find("stopped at step 11"),
            std::string::npos);
  EXPECT_EQ(run(folder, resumed(options)).report.resumed_at, 11);
}

TEST(Resume, TakesTheSameDataAndNoOther) {
  const Folder folder;
  run(folder, options_in(folder), 4);
  at::manual_seed(6);
  SmallTask other;  // as many examples of the same lengths
  EXPECT_NE(test::message_of<UsageError>([&] {
              train(other, resumed(options_in(folder)), folder / "out");
            }).find("other contents of the training data"),
            std::string::npos);
}

TEST(Resume, OneProcessAtATime) {
  const Folder folder;
  at::manual_seed(5);
  SmallTask task;
  Observer observer;
  std::string message;
  observer.step = [&](const StepReport& now) {
    if (now.step > 1) return;
    message = test::message_of<UsageError>([&] { run(folder, resumed(options_in(folder))); });
  };
  train(task, options_in(folder), folder / "out", observer);
  EXPECT_NE(message.find("another process is training there"), std::string::npos);
}

TEST(Resume, KeepsTheLastCheckpointsAndThatOfTheBestModelAndOneInTheEnd) {
  const Folder folder;
  const CheckpointFolder checkpoints(folder / "out.run/checkpoints");
  TrainingOptions options = options_in(folder);
  options.files.save_steps = 1;
  options.files.save_total_limit = 2;
  run(folder, options, 8);
  const std::vector<int64_t> stopped = checkpoints.steps();
  const Outcome found = run(folder, resumed(options));
  int64_t best = 0;  // before the run was stopped
  for (const Evaluation& each : found.report.evaluations) {
    if (each.best && each.step < 8) best = each.step;
  }
  EXPECT_EQ(stopped, (std::vector<int64_t>{best, 7, 8}));
  EXPECT_EQ(checkpoints.steps(), std::vector<int64_t>{9});
}

TEST(Resume, StoppedBeforeTheFirstValidationARunLeavesTheModelAsItIs) {
  const Folder folder;
  const Outcome stopped = run(folder, options_in(folder), 2);
  EXPECT_TRUE(std::filesystem::exists(folder / "out/model.safetensors"));
  const Outcome whole = run(folder, resumed(options_in(folder)));
  EXPECT_EQ(whole.report.resumed_at, 2);
  EXPECT_FALSE(whole.report.evaluations.empty());
}

TEST(Resume, TheWatchedMetricDecides) {
  const Folder folder;
  TrainingOptions options = options_in(folder);
  options.metric_for_best_model = "loss";
  const Outcome found = run(folder, options);
  double least = INFINITY;
  for (const Evaluation& each : found.report.evaluations) {
    least = std::min(least, tasks::metric(each.validation, "loss"));
  }
  EXPECT_EQ(tasks::metric(found.report.best.validation, "loss"), least);
  options.metric_for_best_model = "no such thing";
  const Folder other;
  options.files.directory = other / "out.run";
  EXPECT_THROW(run(other, options), UsageError);
  EXPECT_FALSE(std::filesystem::exists(other / "out/model.safetensors"));
}

// Every write, fsync, rename and the rest of all saves of a run, each failing once and for ever.
TEST(Resume, AFailureOfAnySystemCallLeavesAWholeCheckpoint) {
  const Folder whole;
  const auto options = [](const Folder& folder) {
    TrainingOptions all = options_in(folder);
    all.epochs = 1;
    all.files.save_steps = 1;
    all.files.save_total_limit = 1;
    return all;
  };
  const Outcome expected = run(whole, options(whole));
  int failures = 0;
  int calls_made = 0;
  for (const int error : {ENOSPC, EIO}) {
    for (const auto fault : {FaultyCalls::Fault::kOnce, FaultyCalls::Fault::kForever}) {
      for (int at = 0;; ++at) {
        SCOPED_TRACE(text_of("call ", at, " fails with ", std::strerror(error)));
        const Folder folder;
        FaultyCalls calls({.at = at, .error = error, .fault = fault});
        int64_t saved = 0;
        try {
          run(folder, options(folder), 0, calls);
        } catch (const IoError&) {
          ++failures;
        }
        const auto steps = CheckpointFolder(folder / "out.run/checkpoints").steps();
        if (!steps.empty()) saved = steps.back();
        const Outcome found = run(folder, resumed(options(folder)));
        EXPECT_EQ(found.report.resumed_at, saved);
        expect_same(expected, found);
        if (!calls.has_failed() || testing::Test::HasFailure()) break;
        ++calls_made;
      }
    }
  }
  EXPECT_GT(calls_made, 200);
  EXPECT_GT(failures, 100);
}

// The child trains until it is killed; the rest is trained by the parent.
TEST(Resume, TwoHundredKilledRunsLoseNothing) {
  at::set_num_threads(1);  // a pool of threads does not survive a fork
  const auto options = [](const Folder& folder) {
    TrainingOptions all = options_in(folder);
    all.epochs = 10;
    all.num_workers = 0;
    all.files.save_steps = 1;
    return all;
  };
  const Folder whole;
  const auto start = std::chrono::steady_clock::now();
  const Outcome expected = run(whole, options(whole));
  const auto whole_time = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  std::mt19937_64 random(11);
  int killed = 0;
  int resumed_in_the_middle = 0;
  for (int i = 0; i < 200; ++i) {
    const Folder folder;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      run(folder, options(folder));
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(random() % static_cast<uint64_t>(whole_time.count())));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    const Outcome found = run(folder, resumed(options(folder)));
    resumed_in_the_middle += found.report.resumed_at > 0 && !found.losses.empty() ? 1 : 0;
    expect_same(expected, found);
    if (HasFailure()) FAIL() << "in run " << i;
  }
  EXPECT_GT(killed, 100);
  EXPECT_GT(resumed_in_the_middle, 50);
}

}  // namespace
}  // namespace heed::training
