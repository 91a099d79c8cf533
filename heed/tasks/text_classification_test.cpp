#include "heed/tasks/text_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

data::TrainingData colours() {
  data::TrainingData data;
  data.train.label_names = {"cold", "warm"};
  const char* warm[] = {"red sky", "an orange fire", "yellow sand and red rock", "orange sun"};
  const char* cold[] = {"blue ice", "a grey sea", "blue snow and grey stone", "grey rain"};
  for (const char* text : cold) data.train.examples.push_back({.text = text, .label = 0});
  for (const char* text : warm) data.train.examples.push_back({.text = text, .label = 1});
  data.valid = data.train;
  return data;
}

TextClassificationOptions small() {
  return {.model = {.width = 16, .heads = 2, .hidden = 32, .longest = 16}};
}

TEST(TextClassification, LearnsWhatItIsShown) {
  at::manual_seed(4);
  TextClassification task(colours(), small(), "sentiment");
  task.module().train();
  at::Tensor loss;
  for (int step = 0; step < 60; ++step) {
    task.module().zero_grad();
    loss = task.loss(*task.prepare({0, 1, 2, 3, 4, 5, 6, 7})).value;
    loss.backward();
    const c10::AutoGradMode no_gradients(false);
    for (at::Tensor& p : task.module().parameters()) p.sub_(p.grad(), 0.3);
  }
  task.module().eval();
  const Metrics metrics = task.validate({});
  EXPECT_EQ(metric(metrics, "accuracy"), 1);
  EXPECT_LT(metric(metrics, "loss"), 0.3);
  EXPECT_EQ(metric(metrics, "examples"), 8);
  EXPECT_THROW(metric(metrics, "beauty"), UsageError);
}

TEST(TextClassification, ResultsDoNotDependOnTheCompany) {
  at::manual_seed(4);
  TextClassification task(colours(), small(), "sentiment");
  task.module().eval();
  const std::vector<std::string> texts = {"red", "", "a grey sea and a grey sky and snow", "???"};
  const auto together = classify(task.trained(), texts);
  ASSERT_EQ(together.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = classify(task.trained(), {texts[i]});
    EXPECT_EQ(alone[0].label, together[i].label);
    double sum = 0;
    for (size_t c = 0; c < 2; ++c) {
      EXPECT_NEAR(alone[0].probabilities[c], together[i].probabilities[c], 1e-6);
      sum += together[i].probabilities[c];
    }
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

TEST(TextClassification, MetricsAreThoseOfTheDefinition) {
  at::manual_seed(4);
  TextClassification task(colours(), small(), "sentiment");
  task.module().eval();
  const data::ClassificationData data = *colours().valid;
  std::vector<std::string> texts;
  for (const auto& example : data.examples) texts.push_back(example.text);
  const auto results = classify(task.trained(), texts);
  double loss = 0;
  int64_t right[2] = {0, 0};
  int64_t predicted[2] = {0, 0};
  for (size_t i = 0; i < results.size(); ++i) {
    const auto label = static_cast<size_t>(*data.examples[i].label);
    loss -= std::log(results[i].probabilities[label]) / 8;
    right[label] += results[i].label == *data.examples[i].label;
    ++predicted[results[i].label];
  }
  const Metrics metrics = evaluate(task.trained(), data);
  EXPECT_NEAR(metric(metrics, "loss"), loss, 1e-9);
  EXPECT_NEAR(metric(metrics, "accuracy"), (right[0] + right[1]) / 8.0, 1e-12);
  const double f1 = right[0] * 2.0 / (4 + predicted[0]) + right[1] * 2.0 / (4 + predicted[1]);
  EXPECT_NEAR(metric(metrics, "macro_f1"), f1 / 2, 1e-12);
}

TEST(TextClassification, ABatchStaysAsItIsAndCountsItsWords) {
  at::manual_seed(4);
  TextClassificationOptions options = small();
  options.word_dropout = 0.5;
  options.model.dropout = 0;
  TextClassification task(colours(), options, "sentiment");
  const auto batch = task.prepare({4, 0});  // "red sky", "blue ice"
  at::manual_seed(7);
  const Loss first = task.loss(*batch);
  at::manual_seed(7);
  const Loss again = task.loss(*batch);
  EXPECT_EQ(first.value.item<float>(), again.value.item<float>());
  EXPECT_EQ(first.tokens, 4);
  EXPECT_EQ(first.weight, 2);
}

TEST(TextClassification, LongTextsAreCut) {
  TextClassification task(colours(), small(), "sentiment");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "red ";
  EXPECT_NO_THROW(classify(task.trained(), {text}));
}

}  // namespace
}  // namespace heed::tasks
