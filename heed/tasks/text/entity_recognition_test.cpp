#include "heed/tasks/text/entity_recognition.h"
#include "heed/ops/testing/optimizers.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/tasks/testing/test_learning.h"
#include "heed/tasks/text/entity_tagging.h"

namespace heed::tasks {
namespace {

using Words = std::vector<std::string>;

data::NerData visits() {
  data::NerData data{.file = "visits.conll", .types = {"loc", "per"}};
  const auto add = [&](const Words& words, const Words& tags) {
    data.sentences.push_back({.words = words, .tags = tags, .line = 1});
  };
  for (const char* name : {"Anna", "Tim", "Maria", "John"}) {
    for (const char* place : {"Paris", "Rome"}) {
      add({name, "visits", place, "today"}, {"B-per", "O", "B-loc", "O"});
      add({"in", "New", place, "is", name, "Cook"}, {"O", "B-loc", "I-loc", "O", "B-per", "I-per"});
    }
  }
  return data;
}

EntityRecognitionOptions small_entity_recognition() {
  return {.model = {.words = {.subword_dim = 16, .character_dim = 16, .shape_dim = 4},
                    .transformer = {.d_model = 32,
                                    .num_heads = 2,
                                    .num_layers = 1,
                                    .d_ff = 32,
                                    .max_length = 16,
                                    .attention = {.positions = "relative"},
                                    .dropout = 0,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0}},
          .subword_vocab_size = 60,
          .min_frequency = 1};
}

void learn(EntityRecognition& task, int steps) {
  task.module().train();
  torch::optim::Adam adam(task.module().parameters(), torch::optim::AdamOptions(1e-2));
  for (int step = 0; step < steps; ++step) {
    adam.zero_grad();
    task.loss(*task.prepare({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}))
        .value.backward();
    adam.step();
  }
  task.module().eval();
}

TEST(EntityRecognition, LearnsWhatItIsShown) {
  at::manual_seed(4);
  EntityRecognition task(visits(), visits(), small_entity_recognition());
  learn(task, 40);
  const Metrics metrics = task.validate({});
  expect_all(EntityRecognition::watchable(), metrics);
  EXPECT_EQ(metric(metrics, "f1"), 1);
  EXPECT_LT(metric(metrics, "loss"), 0.1);
  EXPECT_EQ(metric(metrics, "examples"), 16);
  const std::vector<Words> sentences = {{"Tim", "visits", "New", "Rome"}};
  const auto tagged = tag_words(task.trained(), sentences);
  EXPECT_EQ(tagged[0].tags, (Words{"S-per", "O", "B-loc", "E-loc"}));
  for (const double p : tagged[0].probabilities) EXPECT_GT(p, 0.5);
}

TEST(EntityRecognition, ResultsDoNotDependOnTheCompany) {
  at::manual_seed(4);
  EntityRecognition task(visits(), visits(), small_entity_recognition());
  task.module().eval();
  const std::vector<Words> sentences = {{"Anna"}, {}, {"John", "Cook", "is", "in", "Rome"}, {"??"}};
  const auto together = tag_words(task.trained(), sentences);
  ASSERT_EQ(together.size(), 4U);
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto alone = tag_words(task.trained(), {&sentences[i], 1})[0];
    EXPECT_EQ(alone.tags, together[i].tags);
    ASSERT_EQ(alone.tags.size(), sentences[i].size());
    for (size_t w = 0; w < alone.tags.size(); ++w) {
      EXPECT_NEAR(alone.probabilities[w], together[i].probabilities[w], 1e-6);
    }
  }
}

// The loss is the mean over all words, of the batch and of the data.
TEST(EntityRecognition, LossOfABatchIsThatOfTheData) {
  at::manual_seed(4);
  EntityRecognition task(visits(), visits(), small_entity_recognition());
  task.module().eval();
  const c10::NoGradGuard no_gradients;
  std::vector<int64_t> all(16);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  const Loss loss = task.loss(*task.prepare(all));
  EXPECT_EQ(loss.tokens, 8 * 4 + 8 * 6);
  EXPECT_EQ(loss.weight, 80);
  EXPECT_NEAR(loss.value.item<double>(), metric(task.validate({}), "loss"), 1e-5);
}

TEST(EntityRecognition, HiddenWordsChangeTheLossAndNotTheBatch) {
  at::manual_seed(4);
  EntityRecognitionOptions options = small_entity_recognition();
  options.word_dropout = 0.5;
  EntityRecognition task(visits(), visits(), options);
  const auto batch = task.prepare({4, 0});
  const auto loss_after = [&](uint64_t seed) {
    at::manual_seed(seed);
    return task.loss(*batch).value.item<float>();
  };
  const float first = loss_after(7);
  EXPECT_NE(loss_after(8), first);
  EXPECT_EQ(loss_after(7), first);
}

TEST(EntityRecognition, LongSentencesAreReadInParts) {
  EntityRecognitionOptions options = small_entity_recognition();
  options.model.transformer.max_length = 4;
  data::NerData data = visits();
  // An entity across the cut between the parts: [0, 4) and [4, 8).
  data.sentences = {{.words = {"a", "b", "c", "New", "New", "Rome", "d", "e"},
                     .tags = {"O", "O", "O", "B-loc", "I-loc", "I-loc", "O", "O"},
                     .line = 1}};
  at::manual_seed(4);
  EntityRecognition task(data, data, options);
  EXPECT_EQ(task.train_lengths(), (std::vector<int64_t>{4, 4}));
  EXPECT_EQ(metric(task.validate({}), "examples"), 1);
  task.module().eval();
  const auto tagged = tag_words(task.trained(), std::vector<Words>{data.sentences[0].words});
  EXPECT_EQ(tagged[0].tags.size(), 8U);
}

TEST(EntityRecognition, WhatIsTooLongIsCounted) {
  EntityRecognitionOptions options = small_entity_recognition();
  options.model.transformer.max_length = 5;
  options.model.words.max_word_length = 6;
  data::NerData valid = visits();
  valid.sentences = {
      {.words = {"Anna", "visited", "Konstantinopel"}, .tags = {"B-per", "O", "B-loc"}, .line = 1}};
  const EntityRecognition task(visits(), valid, options);
  const auto warnings = task.cut().warnings();
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(warnings[0],
            "8 of 17 sentences have more than 5 words (--max-length) and are read in parts");
  EXPECT_EQ(
      warnings[1],
      "2 of 83 words have more than 6 characters (--max-word-length) or 8 subwords and are not "
      "read whole");
}

// The loss by its definition: each word by the weight of its type; of a chain, the sentence by the
// mean weight of its words.
TEST(EntityRecognition, BalancedClassesHaveTheSameWeightTogether) {
  for (const char* output : {"softmax", "crf"}) {
    EntityRecognitionOptions options = small_entity_recognition();
    options.model.output = output;
    options.class_weight = "balanced";
    at::manual_seed(4);
    EntityRecognition task(visits(), visits(), options);
    task.module().eval();
    const c10::NoGradGuard no_gradients;
    // 80 words: 24 of persons, 24 of places (of New York both), 32 of no entity.
    const double per = 80. / (3 * 24);
    const double none = 80. / (3 * 32);
    const Loss loss = task.loss(*task.prepare({0, 1}));  // per O loc O; O loc loc O per per
    const double first = 2 * per + 2 * none;
    const double second = 4 * per + 2 * none;
    EXPECT_NEAR(loss.weight, first + second, 1e-5) << output;
    const auto of = [&](int64_t example) {
      return task.loss(*task.prepare({example})).value.item<double>();
    };
    EXPECT_NEAR(loss.value.item<double>(), (of(0) * first + of(1) * second) / (first + second),
                1e-5)
        << output;
    if (std::string(output) == "crf") {
      options.class_weight = "none";
      at::manual_seed(4);
      EntityRecognition plain(visits(), visits(), options);
      plain.module().eval();
      EXPECT_NEAR(of(0), plain.loss(*plain.prepare({0})).value.item<double>(), 1e-5);
    }
  }
}

TEST(EntityRecognition, DataThatCannotBeUsed) {
  data::NerData nothing = visits();
  nothing.types = {};
  EXPECT_THROW(EntityRecognition(nothing, visits(), small_entity_recognition()), DataError);
  EntityRecognitionOptions options = small_entity_recognition();
  options.word_dropout = 1;
  EXPECT_THROW(EntityRecognition(visits(), visits(), options), UsageError);
  options = small_entity_recognition();
  options.class_weight = "heavy";
  EXPECT_THROW(EntityRecognition(visits(), visits(), options), UsageError);
  EntityRecognition task(visits(), visits(), small_entity_recognition());
  data::NerData other = visits();
  other.sentences[0].tags[0] = "B-ship";
  EXPECT_THROW(evaluate(task.trained(), other), DataError);
}

}  // namespace
}  // namespace heed::tasks
