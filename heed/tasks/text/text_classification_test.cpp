#include "heed/tasks/text/text_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "heed/base/error.h"
#include "heed/tasks/text/classify.h"

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

TextClassificationOptions small_text_classification() {
  TextClassificationOptions options;
  models::TransformerOptions& transformer = options.model.transformer;
  transformer.d_model = 16;
  transformer.num_heads = 2;
  transformer.d_ff = 32;
  transformer.max_length = 16;
  return options;
}

// Steps on all examples at once; in evaluation mode afterwards.
void learn(TextClassification& task, int steps) {
  std::vector<int64_t> all(task.train_lengths().size());
  std::iota(all.begin(), all.end(), 0);
  task.module().train();
  for (int step = 0; step < steps; ++step) {
    task.module().zero_grad();
    task.loss(*task.prepare(all)).value.backward();
    const c10::AutoGradMode no_gradients(false);
    for (at::Tensor& p : task.module().parameters()) p.sub_(p.grad(), 0.3);
  }
  task.module().eval();
}

TEST(TextClassification, LearnsWhatItIsShown) {
  at::manual_seed(4);
  TextClassification task(colours(), small_text_classification());
  learn(task, 60);
  const Metrics metrics = task.validate({});
  EXPECT_EQ(metric(metrics, "accuracy"), 1);
  EXPECT_LT(metric(metrics, "loss"), 0.3);
  EXPECT_EQ(metric(metrics, "examples"), 8);
  EXPECT_THROW(metric(metrics, "beauty"), UsageError);
  EXPECT_EQ(task.watched("").name, "accuracy");
  EXPECT_TRUE(task.watched("").higher_is_better);
  EXPECT_TRUE(task.watched("macro_f1").higher_is_better);
}

data::TrainingData weather() {
  data::TrainingData data;
  data.train.label_names = {"cold", "wet"};
  const std::pair<const char*, std::vector<int32_t>> all[] = {
      {"snow", {0}}, {"rain", {1}}, {"sleet", {0, 1}}, {"sun", {}}, {"frost", {0}}, {"fog", {1}}};
  for (const auto& [text, labels] : all) {
    data.train.examples.push_back({.text = text, .labels = labels});
  }
  data.valid = data.train;
  return data;
}

TEST(TextClassification, LearnsSeveralLabels) {
  TextClassificationOptions options = small_text_classification();
  options.label_separator = ",";
  at::manual_seed(4);
  TextClassification task(weather(), options);
  learn(task, 100);
  const Metrics metrics = task.validate({});
  EXPECT_EQ(metric(metrics, "subset_accuracy"), 1);
  EXPECT_EQ(metric(metrics, "micro_f1"), 1);
  EXPECT_EQ(task.watched("").name, "micro_f1");
  const auto results = classify(task.trained(), {"sleet", "sun"});
  EXPECT_EQ(results[0].labels, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(results[1].labels, std::vector<int32_t>{});
}

// Untrained, no label reaches a half of itself: validation finds thresholds that give the best F1,
// unless there is one to keep.
TEST(TextClassification, ThresholdsComeFromValidationOrStay) {
  TextClassificationOptions options = small_text_classification();
  options.label_separator = ",";
  at::manual_seed(4);
  TextClassification free(weather(), options);
  free.module().eval();
  EXPECT_EQ(free.trained().thresholds, (std::vector<double>{0.5, 0.5}));
  free.validate({});
  EXPECT_NE(free.trained().thresholds, (std::vector<double>{0.5, 0.5}));
  options.threshold = 0.25;
  at::manual_seed(4);
  TextClassification kept(weather(), options);
  kept.module().eval();
  kept.validate({});
  EXPECT_EQ(kept.trained().thresholds, (std::vector<double>{0.25, 0.25}));
}

// The same words in the same sentences: only which sentence comes last tells them apart.
TEST(TextClassification, LearnsDocuments) {
  data::TrainingData data;
  data.train.label_names = {"bad", "good"};
  data.train.examples = {{.text = "It was dull. It was fine.", .label = 1},
                         {.text = "It was fine. It was dull.", .label = 0},
                         {.text = "A fine start. A dull end.", .label = 0},
                         {.text = "A dull start. A fine end.", .label = 1}};
  data.valid = data.train;
  TextClassificationOptions options = small_text_classification();
  options.model.documents = "sentences";
  options.model.transformer.dropout = options.model.transformer.attention_dropout =
      options.model.transformer.embedding_dropout = 0;
  at::manual_seed(4);
  TextClassification task(data, options);
  learn(task, 150);
  EXPECT_EQ(metric(task.validate({}), "accuracy"), 1);
}

TEST(TextClassification, RefusesOptionsThatCannotBe) {
  const auto refused = [](const auto& change) {
    TextClassificationOptions options = small_text_classification();
    change(options);
    EXPECT_THROW(TextClassification(colours(), options), UsageError);
  };
  refused([](auto& o) { o.threshold = 0.5; });  // of one label a text
  refused([](auto& o) {
    o.label_separator = ",";
    o.threshold = 1;
  });
  refused([](auto& o) { o.word_dropout = 1; });
  refused([](auto& o) { o.model.documents = "pages"; });
}

TEST(TextClassification, ResultsDoNotDependOnTheCompany) {
  at::manual_seed(4);
  TextClassification task(colours(), small_text_classification());
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
  TextClassification task(colours(), small_text_classification());
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
  const Metrics metrics = evaluate(task.trained(), data).metrics;
  EXPECT_NEAR(metric(metrics, "loss"), loss, 1e-9);
  EXPECT_NEAR(metric(metrics, "accuracy"), (right[0] + right[1]) / 8.0, 1e-12);
  const double f1 = right[0] * 2.0 / (4 + predicted[0]) + right[1] * 2.0 / (4 + predicted[1]);
  EXPECT_NEAR(metric(metrics, "macro_f1"), f1 / 2, 1e-12);
}

TEST(TextClassification, ABatchStaysAsItIsAndCountsItsWords) {
  at::manual_seed(4);
  TextClassificationOptions options = small_text_classification();
  options.word_dropout = 0.5;
  options.model.transformer.dropout = 0;
  TextClassification task(colours(), options);
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
  TextClassificationOptions options = small_text_classification();
  options.model.transformer.max_length = 3;
  TextClassification task(colours(), options);
  task.module().eval();
  const auto answers = classify(task.trained(), {"red red red blue", "red red red"});
  EXPECT_EQ(answers[0].probabilities, answers[1].probabilities);
}

}  // namespace
}  // namespace heed::tasks
