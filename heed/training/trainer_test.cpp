#include "heed/training/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "heed/base/error.h"
#include "heed/nn/layers/linear.h"
#include "heed/training/run/run_state.h"

namespace heed::training {
namespace {

// Learns y = 3x from 50 points; counts what the trainer asks of it.
class LineTask final : public tasks::Task {
 public:
  std::string name() const override { return "line"; }
  torch::nn::Module& module() override { return linear_; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<tasks::Source> sources() const override { return {}; }

  tasks::Loss loss(const tasks::Batch& batch) override {
    EXPECT_TRUE(linear_.is_training());
    const auto& examples = batch.examples;
    for (const int64_t example : examples) ++seen_[static_cast<size_t>(example)];
    const at::Tensor x = at::tensor(examples).to(at::kFloat).unsqueeze(1) / 50 * scale;
    return {.value = (linear_.forward(x) - 3 * x).pow(2).mean(), .tokens = 1};
  }

  tasks::Metrics validate(const tasks::Progress&) override {
    EXPECT_FALSE(linear_.is_training());
    const double value =
        errors.empty() ? std::abs(linear_.weight.item<double>() - 3) : errors.front();
    if (!errors.empty()) errors.erase(errors.begin());
    return {{"error", value}, {"score", value}};
  }

  tasks::Watched watched(const std::string& name) const override {
    return tasks::watched_among({tasks::lowest("error"), tasks::highest("score")}, name, "error");
  }
  void save(const std::filesystem::path&) const override { ++saves; }

  const std::vector<int64_t>& seen() const { return seen_; }
  double weight() const { return linear_.weight.item<double>(); }

  std::vector<double> errors;  // to be reported, one an epoch; empty: the real one
  double scale = 1;            // of the inputs
  mutable int saves = 0;

 private:
  nn::Linear linear_{{.in = 1, .out = 1}};
  std::vector<int64_t> lengths_ = std::vector<int64_t>(50, 1);
  std::vector<int64_t> seen_ = std::vector<int64_t>(50, 0);
};

TrainingOptions quick() {
  return {.epochs = 30, .batch_size = 8, .lr = 0.1, .optimizer = {.weight_decay = 0}};
}

TEST(Trainer, Learns) {
  at::manual_seed(2);
  LineTask task;
  const RunReport report = train(task, quick(), "unused");
  EXPECT_NEAR(task.weight(), 3, 0.05);
  EXPECT_EQ(report.steps, 30 * 7);
  EXPECT_EQ(report.parameters, 2);
}

TEST(Trainer, ShowsEachExampleOnceAnEpoch) {
  LineTask task;
  TrainingOptions options = quick();
  options.epochs = 3;
  options.gradient_accumulation_steps = 2;
  const RunReport report = train(task, options, "unused");
  for (const int64_t count : task.seen()) EXPECT_EQ(count, 3);
  EXPECT_EQ(report.steps, 3 * 4);  // 7 batches in pairs
}

TEST(Trainer, KeepsTheBestAndStopsWithPatience) {
  LineTask task;
  task.errors = {5, 4, 6, 3, 7, 8, 9, 1};
  TrainingOptions options = quick();
  options.patience = 3;
  const RunReport report = train(task, options, "unused");
  EXPECT_EQ(report.best.epoch, 4);
  EXPECT_EQ(report.evaluations.size(), 7U);
  EXPECT_EQ(task.saves, 3);
}

TEST(Trainer, TheTaskSaysWhichWayAMetricIsBetter) {
  LineTask task;
  task.errors = {5, 4, 6, 3};
  TrainingOptions options = quick();
  options.epochs = 4;
  options.metric_for_best_model = "score";
  EXPECT_EQ(train(task, options, "unused").best.epoch, 3);
}

TEST(Trainer, OfEqualModelsTheOneWithTheSmallerLossIsBetter) {
  const auto evaluation = [](double accuracy, double loss) {
    return Evaluation{.validation = {{"accuracy", accuracy}, {"loss", loss}}};
  };
  const tasks::Watched accuracy = tasks::highest("accuracy");
  EXPECT_TRUE(is_better(evaluation(0.8, 0.4), evaluation(0.8, 0.5), accuracy));
  EXPECT_FALSE(is_better(evaluation(0.8, 0.5), evaluation(0.8, 0.5), accuracy));
  EXPECT_FALSE(is_better(evaluation(0.8, 0.6), evaluation(0.8, 0.5), accuracy));
  EXPECT_FALSE(is_better(evaluation(0.7, 0.1), evaluation(0.8, 0.5), accuracy));
  EXPECT_TRUE(is_better(evaluation(0.9, 0.9), evaluation(0.8, 0.5), accuracy));
}

TEST(Trainer, ARunMayBeMeasuredInSteps) {
  LineTask task;
  TrainingOptions options = quick();
  options.max_steps = 10;  // 7 batches an epoch
  options.eval_steps = 4;
  const RunReport report = train(task, options, "unused");
  EXPECT_EQ(report.steps, 10);
  ASSERT_EQ(report.evaluations.size(), 3U);
  EXPECT_EQ(report.evaluations[0].step, 4);
  EXPECT_EQ(report.evaluations[0].epoch, 1);
  EXPECT_EQ(report.evaluations[1].step, 8);
  EXPECT_EQ(report.evaluations[1].epoch, 2);
  EXPECT_EQ(report.evaluations[2].step, 10) << "the end is always evaluated";
}

TEST(Trainer, BatchesMayBeMadeByTokens) {
  LineTask task;
  TrainingOptions options = quick();
  options.epochs = 1;
  options.batch_tokens = 5;
  EXPECT_EQ(train(task, options, "unused").steps, 10);
  for (const int64_t count : task.seen()) EXPECT_EQ(count, 1);
}

TEST(Trainer, WorkersChangeNothing) {
  const auto weight_with = [](int64_t workers) {
    at::manual_seed(2);
    LineTask task;
    TrainingOptions options = quick();
    options.epochs = 3;
    options.num_workers = workers;
    train(task, options, "unused");
    for (const int64_t count : task.seen()) EXPECT_EQ(count, 3);
    return task.weight();
  };
  for (int64_t workers = 1; workers <= 8; ++workers) {
    EXPECT_EQ(weight_with(0), weight_with(workers)) << workers;
  }
}

TEST(Trainer, TheSameSeedGivesTheSameBits) {
  const auto weight_after = [](uint64_t seed) {
    at::manual_seed(2);
    LineTask task;
    TrainingOptions options = quick();
    options.epochs = 2;
    options.seed = seed;
    train(task, options, "unused");
    return task.weight();
  };
  EXPECT_EQ(weight_after(1), weight_after(1));
  EXPECT_NE(weight_after(1), weight_after(2));
}

TEST(Trainer, StopsWhenAsked) {
  LineTask task;
  int steps = 0;
  Observer observer;
  observer.step = [&](const StepReport& now) { steps = static_cast<int>(now.step); };
  observer.stop = [&] { return steps == 5; };
  EXPECT_THROW(train(task, quick(), "unused", observer), Interrupted);
  EXPECT_EQ(steps, 5);
}

TEST(Trainer, ALossThatIsNoNumberEndsTheRunWithItsStep) {
  LineTask task;
  task.scale = std::numeric_limits<double>::quiet_NaN();
  try {
    train(task, quick(), "unused");
    FAIL() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("step 1"), std::string::npos) << error.what();
  }
}

TEST(Trainer, RefusesWhatCannotBe) {
  LineTask task;
  for (auto change : std::vector<std::function<void(TrainingOptions&)>>{
           [](TrainingOptions& o) { o.epochs = 0; },
           [](TrainingOptions& o) { o.batch_size = 0; },
           [](TrainingOptions& o) { o.lr = 0; },
           [](TrainingOptions& o) { o.warmup_ratio = 2; },
           [](TrainingOptions& o) { o.max_steps = -1; },
           [](TrainingOptions& o) { o.batch_tokens = -1; },
           [](TrainingOptions& o) { o.num_workers = 9; },
           [](TrainingOptions& o) { o.dtype = "float8"; },
           [](TrainingOptions& o) { o.device = "tpu"; },
           [](TrainingOptions& o) { o.files.save_total_limit = 0; },
           [](TrainingOptions& o) { o.files.resume = true; },
           [](TrainingOptions& o) { o.lr_scheduler = "staircase"; },
       }) {
    TrainingOptions options = quick();
    change(options);
    EXPECT_THROW(train(task, options, "unused"), UsageError);
  }
}

}  // namespace
}  // namespace heed::training
