#include "heed/training/update.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/training/testing/test_task.h"

namespace heed::training {
namespace {

using test::SmallTask;

// The weights after one step over these batches.
std::vector<float> after(const std::vector<std::vector<int64_t>>& examples,
                         const TrainingOptions& options, double* norm = nullptr) {
  at::manual_seed(3);
  SmallTask task;
  task.model.dropout = 0;
  task.module().train();
  Updater updater(task, options);
  tasks::Batches batches;
  for (const auto& each : examples) batches.push_back(task.prepare(each));
  const auto result = updater.update(batches, 0.1);
  if (norm != nullptr) *norm = result.gradient_norm;
  return task.weights();
}

// Of batches whose means are over 1 + 2, 5 + 1 + 2 and 3 tokens.
TEST(Update, AccumulatedBatchesAreOneLargeBatch) {
  const TrainingOptions options{.max_grad_norm = 0, .optimizer = {.name = "sgd", .l2 = 1e-2}};
  double one_norm = 0;
  double parts_norm = 0;
  const auto one = after({{0, 1, 4, 5, 6, 7}}, options, &one_norm);
  const auto parts = after({{0, 1}, {4, 5, 6}, {7}}, options, &parts_norm);
  ASSERT_EQ(one.size(), parts.size());
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], parts[i], 1e-6);
  EXPECT_NEAR(one_norm, parts_norm, 1e-6);
}

TEST(Update, Bfloat16IsCloseAndKeepsFloat32Weights) {
  TrainingOptions options{.max_grad_norm = 0, .optimizer = {.name = "sgd"}};
  const auto exact = after({{0, 1, 2, 3}}, options);
  options.dtype = "bfloat16";
  const auto rounded = after({{0, 1, 2, 3}}, options);
  EXPECT_NE(exact, rounded);
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(exact[i], rounded[i], 2e-2);
}

TEST(Update, ATensorThatIsSharedIsUpdatedOnce) {
  struct Tied : torch::nn::Module {
    Tied() {
      a = register_module("a", std::make_shared<nn::Linear>(nn::LinearOptions{.in = 2, .out = 2}));
      b = register_module("b", a);
    }
    std::shared_ptr<nn::Linear> a, b;
  } tied;
  const NamedTensors named = trained_parameters(tied);
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(named[0].first, "a.weight");
  EXPECT_EQ(named[1].first, "a.bias");
}

}  // namespace
}  // namespace heed::training
