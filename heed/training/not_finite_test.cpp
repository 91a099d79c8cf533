#include "heed/training/not_finite.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/training/testing/test_task.h"
#include "heed/training/trainer.h"
#include "heed/training/update.h"

namespace heed::training {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void fill(const at::Tensor& parameter, double value) {
  const c10::AutoGradMode no_gradients(false);
  parameter.fill_(value);
}

std::string place_in(test::SmallModel& model, const at::Tensor& input) {
  return first_not_finite(model, [&] { return model.forward(input).sum(); });
}

TEST(NotFinite, NamesTheLayer) {
  test::SmallModel model;
  const at::Tensor input = at::ones({3, 4});
  EXPECT_EQ(place_in(model, input), "");
  fill(model.upper->weight, 3e38);
  fill(model.lower->weight, 1);
  EXPECT_EQ(place_in(model, input), "in the output of the layer upper");
  fill(model.lower->weight, 3e38);  // tanh makes it finite again: it still began there
  EXPECT_EQ(place_in(model, input), "in the output of the layer lower");
  fill(model.lower->bias, kInfinity);
  EXPECT_EQ(place_in(model, input), "in the parameter lower.bias");
}

TEST(NotFinite, NamesWhatStandsBehindALayer) {
  test::SmallModel model;
  fill(model.upper->weight, 0);
  fill(model.upper->bias, -1);
  const std::string place = first_not_finite(model, [&] {
    return model.forward(at::ones({3, 4})).log().sum();
  });
  EXPECT_EQ(place, "behind the layer upper (LogBackward0)");
}

TEST(NotFinite, NamesTheLayerOfABadGradient) {
  test::SmallModel model;
  fill(model.upper->weight, 0);
  fill(model.upper->bias, 0);  // the root of 0 is finite, its slope is not
  const std::string place = first_not_finite(model, [&] {
    return model.forward(at::ones({3, 4})).sqrt().sum();
  });
  EXPECT_EQ(place, "in the gradient of the layer upper");
}

TEST(NotFinite, MinusInfinityOfAMaskIsNoFinding) {
  test::SmallModel model;
  const at::Tensor mask = at::tensor({0, 0, 1}).to(at::kBool);
  EXPECT_EQ(first_not_finite(model,
                             [&] {
                               const at::Tensor scores = model.forward(at::ones({3, 4}));
                               return scores.masked_fill(mask, -kInfinity).softmax(-1)[0];
                             }),
            "");
}

TEST(NotFinite, ARunEndsWithTheStepTheLayerAndItsLastCheckpoint) {
  const test::Folder folder;
  test::SmallTask task;
  TrainingOptions options{.batch_size = 4};
  options.files = {.directory = folder / "out.run", .save_steps = 2};
  Observer observer;
  observer.step = [&](const StepReport& now) {
    if (now.step == 5) task.scale = std::numeric_limits<double>::infinity();
  };
  std::vector<float> before;
  const std::string message =
      test::message_of<NotFiniteError>([&] { train(task, options, folder / "out", observer); });
  EXPECT_NE(message.find("step 6: the loss is"), std::string::npos) << message;
  EXPECT_NE(message.find("in the output of the layer lower"), std::string::npos) << message;
  EXPECT_NE(message.find("checkpoints/step-00000004"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::exists(folder / "out.run/checkpoints/step-00000004/state.json"));
  for (const float weight : task.weights()) EXPECT_TRUE(std::isfinite(weight));
}

}  // namespace
}  // namespace heed::training
