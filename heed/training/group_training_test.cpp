// Training by several processes: the same losses as one, files by rank 0 alone, checkpoints that
// any number of processes goes on from.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/training/processes/process_group.h"
#include "heed/training/testing/test_processes.h"
#include "heed/training/testing/test_task.h"
#include "heed/training/trainer.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;

class GroupTraining : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("heed-group-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void clear() const {
    for (const auto& entry : fs::directory_iterator(folder_)) fs::remove_all(entry);
  }

  TrainingOptions options(int64_t epochs) const {
    return {.epochs = epochs,
            .batch_size = 6,
            .gradient_accumulation_steps = 2,
            .lr = 0.01,
            .lr_scheduler = "constant",  // whatever the length of the run
            .warmup_ratio = 0,
            .files = {.directory = folder_ / "model.run", .resume = true}};
  }

  std::vector<double> losses_of(const TrainingOptions& options, const fs::path& model) const {
    at::manual_seed(3);
    test::SmallTask task;
    task.model.dropout = dropout_;
    std::vector<double> losses;
    train(task, options, model,
          {.step = [&](const StepReport& step) { losses.push_back(step.loss); }});
    return losses;
  }

  // The losses that rank 0 saw.
  std::vector<double> losses_of_group(int size, int64_t epochs) {
    const fs::path seen = folder_ / "losses";
    test::expect_all_well(test::run_processes(size, [&](ProcessGroup& group) {
      TrainingOptions all = options(epochs);
      all.group = &group;
      const auto losses = losses_of(all, folder_ / "model");
      if (!group.is_first()) return;
      std::ofstream out(seen);
      out.precision(17);
      for (const double loss : losses) out << loss << '\n';
    }));
    std::vector<double> losses;
    std::ifstream in(seen);
    for (double loss = 0; in >> loss;) losses.push_back(loss);
    return losses;
  }

  // Float32 sums in another order.
  static void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4 * std::abs(b[i])) << i;
  }

  fs::path folder_;
  double dropout_ = 0;  // its random numbers are those of each process
};

TEST_F(GroupTraining, TheLossesAreThoseOfOneProcess) {
  for (const int size : {2, 4}) {
    const auto together = losses_of_group(size, 3);
    clear();
    expect_near(together, losses_of(options(3), folder_ / "alone"));
    clear();
  }
}

TEST_F(GroupTraining, TheSameRunTwiceGivesTheSameBits) {
  const auto first = losses_of_group(2, 2);
  clear();
  EXPECT_EQ(first, losses_of_group(2, 2));
}

TEST_F(GroupTraining, ACheckpointOfFourIsResumedByOne) {
  losses_of_group(4, 1);
  const auto resumed = losses_of(options(3), folder_ / "model");
  clear();
  const auto epoch = losses_of(options(1), folder_ / "alone").size();
  expect_near(resumed, losses_of(options(3), folder_ / "alone"));
  EXPECT_EQ(resumed.size(), 2 * epoch);
}

// Dropout too: what each process draws goes on with the checkpoint.
TEST_F(GroupTraining, AResumedRunHasTheSameBits) {
  dropout_ = 0.3;
  const auto expected = losses_of_group(2, 3);
  clear();
  auto losses = losses_of_group(2, 1);
  for (const double loss : losses_of_group(2, 3)) losses.push_back(loss);
  EXPECT_EQ(losses, expected);
}

// Whatever differs, every process says what, and nobody waits for the others.
TEST_F(GroupTraining, ProcessesThatWereGivenDifferentThingsSayWhat) {
  using Change = std::function<void(TrainingOptions&)>;
  const std::pair<const char*, Change> cases[] = {
      {"batch_size is '6' in rank 0 and '7' in rank 1", [](auto& o) { o.batch_size = 7; }},
      {"gradient_accumulation_steps", [](auto& o) { o.gradient_accumulation_steps = 3; }},
      {"epochs", [](auto& o) { o.epochs = 9; }},
      {"eval_steps", [](auto& o) { o.eval_steps = 2; }},
      {"tensor_parallel", [](auto& o) { o.tensor_parallel = 2; }},
      {"--num-layers is '1' in rank 0 and not given in rank 1",
       [](auto& o) { o.files.settings = {}; }},
      {"run files", [](auto& o) { o.files = {.settings = o.files.settings}; }},
      {"number of training examples", {}},
      {"checksum of the training data", {}},
  };
  for (const auto& each : cases) {
    const char* expected = each.first;
    const Change& change = each.second;
    test::expect_all_well(test::run_processes(2, [&](ProcessGroup& group) {
      TrainingOptions all = options(2);
      all.files.settings = {{"--num-layers", "1"}};
      all.group = &group;
      const bool differs = group.rank() == 1;
      const bool has_other_data = differs && !change;
      at::manual_seed(has_other_data ? 4 : 3);
      test::SmallTask task(has_other_data && expected[0] == 'n' ? 24 : 23);
      if (differs && change) change(all);
      const std::string message =
          test::message_of<UsageError>([&] { train(task, all, folder_ / "model"); });
      EXPECT_NE(message.find(expected), std::string::npos) << message;
    }));
  }
  EXPECT_FALSE(fs::exists(folder_ / "model.run"));
}

// What rank 0 refuses, all refuse.
TEST_F(GroupTraining, ARefusalOfTheFirstReachesAll) {
  losses_of_group(2, 1);
  test::expect_all_well(test::run_processes(2, [&](ProcessGroup& group) {
    TrainingOptions all = options(1);
    all.files.resume = false;
    all.group = &group;
    at::manual_seed(3);
    test::SmallTask task;
    const std::string message =
        test::message_of<UsageError>([&] { train(task, all, folder_ / "model"); });
    EXPECT_NE(message.find("--overwrite"), std::string::npos) << message;
  }));
}

// The best model is written again by those who go on, where somebody removed it.
TEST_F(GroupTraining, AModelThatIsGoneIsMadeUpFor) {
  losses_of_group(2, 2);
  const std::string before = test::slurp(folder_ / "model" / "model.safetensors");
  fs::remove_all(folder_ / "model");
  losses_of_group(2, 2);
  EXPECT_EQ(test::slurp(folder_ / "model" / "model.safetensors"), before);
}

TEST_F(GroupTraining, AKilledRankEndsTheOthersByName) {
  const auto ends = test::run_processes(2, [&](ProcessGroup& group) {
    TrainingOptions all = options(100'000);
    all.group = &group;
    test::SmallTask task;
    train(task, all, folder_ / "model", {.step = [&](const StepReport& now) {
            if (group.rank() == 1 && now.step == 5) std::raise(SIGKILL);
          }});
  });
  EXPECT_EQ(WEXITSTATUS(ends[0]), 74);
}

TEST_F(GroupTraining, OneThatIsInterruptedStopsAll) {
  const auto ends = test::run_processes(2, [&](ProcessGroup& group) {
    TrainingOptions all = options(100'000);
    all.group = &group;
    test::SmallTask task;
    int64_t steps = 0;
    try {
      train(task, all, folder_ / "model",
            {.step = [&](const StepReport& now) { steps = now.step; },
             .stop = [&] { return group.rank() == 1 && steps == 6; }});  // in the seventh step
    } catch (const Interrupted&) {
      EXPECT_EQ(steps, 7);
      return;
    }
    FAIL() << "expected to be interrupted";
  });
  test::expect_all_well(ends);
  EXPECT_TRUE(fs::exists(folder_ / "model.run" / "checkpoints" / "step-00000007"));
}

}  // namespace
}  // namespace heed::training
