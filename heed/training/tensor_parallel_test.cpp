// Training by processes that hold one model together: the same losses and dropout as one process,
// the same files, checkpoints that any number of processes goes on from.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/weights/safetensors.h"
#include "heed/training/processes/process_group.h"
#include "heed/training/testing/test_processes.h"
#include "heed/training/testing/test_transformer_task.h"
#include "heed/training/trainer.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;

// So many processes, of which so many hold one model.
struct Layout {
  int size = 1;
  int64_t tensor = 1;
};

constexpr test::TransformerChoice kDropping{.dropout = 0.2, .attention_dropout = 0.3};

class TensorParallel : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("heed-tensor-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Gradients that are always clipped, both penalties, Adam's moments and a running average: all
  // that looks at more than one weight or lives as long as the run.
  TrainingOptions options(int64_t steps, const std::string& name) const {
    return {.max_steps = steps,
            .eval_steps = 4,
            .batch_size = 8,
            .gradient_accumulation_steps = 2,
            .lr = 0.01,
            .lr_scheduler = "constant",  // whatever the length of the run
            .warmup_ratio = 0,
            .max_grad_norm = 0.05,
            .ema_decay = 0.9,
            .optimizer = {.epsilon = 1e-3, .l1 = 1e-3, .l2 = 1e-3},
            .files = {.directory = folder_ / (name + ".run"), .resume = true}};
  }

  std::vector<double> alone(int64_t steps, const std::string& name,
                            const test::TransformerChoice& choice) const {
    return losses_of(options(steps, name), name, choice);
  }

  // The losses that rank 0 saw.
  std::vector<double> together(const Layout& layout, int64_t steps, const std::string& name,
                               const test::TransformerChoice& choice) const {
    const fs::path seen = folder_ / "losses";
    test::expect_all_well(test::run_processes(layout.size, [&](ProcessGroup& group) {
      TrainingOptions all = options(steps, name);
      all.group = &group;
      all.tensor_parallel = layout.tensor;
      const auto losses = losses_of(all, name, choice);
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
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 2e-5 * std::abs(b[i])) << i;
  }

  // The same tensors, but for that order; the random numbers exactly.
  void expect_same_tensors(const fs::path& one, const fs::path& other) const {
    const auto a = Safetensors::from_file(folder_ / one);
    const auto b = Safetensors::from_file(folder_ / other);
    ASSERT_EQ(a.tensors().size(), b.tensors().size());
    for (const StoredTensor& tensor : a.tensors()) {
      const StoredTensor& same = b.at(tensor.name);
      ASSERT_EQ(tensor.shape, same.shape) << tensor.name;
      ASSERT_EQ(tensor.dtype, same.dtype) << tensor.name;
      if (tensor.dtype != SafetensorsDtype::kF32) {
        EXPECT_EQ(std::memcmp(tensor.data, same.data, tensor.bytes), 0) << tensor.name;
      } else {
        EXPECT_LT((floats_of(tensor) - floats_of(same)).abs().max().item<double>(), 1e-4)
            << tensor.name;
      }
    }
  }

  fs::path folder_;

 private:
  static at::Tensor floats_of(const StoredTensor& tensor) {
    at::Tensor values = at::empty(tensor.shape);
    std::memcpy(values.mutable_data_ptr(), tensor.data, tensor.bytes);
    return values;
  }

  std::vector<double> losses_of(const TrainingOptions& options, const std::string& name,
                                const test::TransformerChoice& choice) const {
    at::manual_seed(3);
    test::TransformerTask task(choice);
    std::vector<double> losses;
    train(task, options, folder_ / name,
          {.step = [&](const StepReport& step) { losses.push_back(step.loss); }});
    return losses;
  }
};

TEST_F(TensorParallel, LossesAndDropoutAreThoseOfOneProcess) {
  const auto expected = alone(8, "alone", kDropping);
  for (const int size : {2, 4}) {
    const std::string name = "of-" + std::to_string(size);
    expect_near(together({.size = size, .tensor = size}, 8, name, kDropping), expected);
    expect_same_tensors(fs::path(name) / "model.safetensors", "alone/model.safetensors");
    const fs::path last = "checkpoints/step-00000008/tensors.safetensors";
    expect_same_tensors(fs::path(name + ".run") / last, "alone.run" / last);
  }
}

TEST_F(TensorParallel, WithGroupedHeads) {
  const test::TransformerChoice grouped{.num_key_value_heads = 2};
  expect_near(together({.size = 2, .tensor = 2}, 4, "both", grouped), alone(4, "alone", grouped));
}

TEST_F(TensorParallel, AndDataParallelAtOnce) {
  const test::TransformerChoice whole;
  expect_near(together({.size = 4, .tensor = 2}, 8, "both", whole), alone(8, "alone", whole));
  expect_same_tensors("both/model.safetensors", "alone/model.safetensors");
}

// Four processes stop in the middle; one goes on, and then two that hold the model together.
TEST_F(TensorParallel, ACheckpointIsThatOfAnyNumberOfProcesses) {
  const test::TransformerChoice whole;
  const auto expected = alone(12, "alone", whole);
  auto losses = together({.size = 4, .tensor = 2}, 4, "moving", whole);
  for (const double loss : alone(8, "moving", whole)) losses.push_back(loss);
  for (const double loss : together({.size = 2, .tensor = 2}, 12, "moving", whole)) {
    losses.push_back(loss);
  }
  expect_near(losses, expected);
}

TEST_F(TensorParallel, AResumedRunHasTheSameBits) {
  const Layout both{.size = 4, .tensor = 2};
  const auto expected = together(both, 8, "straight", kDropping);
  auto losses = together(both, 4, "resumed", kDropping);
  for (const double loss : together(both, 8, "resumed", kDropping)) losses.push_back(loss);
  EXPECT_EQ(losses, expected);
}

TEST_F(TensorParallel, AKilledRankEndsTheOthersByName) {
  const auto ends = test::run_processes(4, [&](ProcessGroup& group) {
    TrainingOptions all = options(100'000, "killed");
    all.group = &group;
    all.tensor_parallel = 2;
    test::TransformerTask task;
    train(task, all, folder_ / "killed", {.step = [&](const StepReport& now) {
            if (group.rank() == 1 && now.step == 3) std::raise(SIGKILL);
          }});
  });
  for (const int rank : {0, 2, 3}) {
    EXPECT_EQ(WEXITSTATUS(ends[static_cast<size_t>(rank)]), 74) << rank;
  }
}

TEST_F(TensorParallel, WhatCannotBeSharedIsRefused) {
  test::TransformerTask task;
  TrainingOptions two = options(1, "refused");
  two.tensor_parallel = 2;
  EXPECT_THROW(train(task, two, folder_ / "refused"), UsageError) << "one process";
  test::expect_all_well(test::run_processes(3, [&](ProcessGroup& group) {
    TrainingOptions all = two;
    all.group = &group;
    EXPECT_THROW(train(task, all, folder_ / "refused"), UsageError) << "three in pairs";
    all.tensor_parallel = 3;
    EXPECT_THROW(train(task, all, folder_ / "refused"), UsageError) << "four heads in three";
  }));
}

}  // namespace
}  // namespace heed::training
