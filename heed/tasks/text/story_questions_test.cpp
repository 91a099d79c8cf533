#include "heed/tasks/text/story_questions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

using testing::ElementsAre;

// Who was where last: the later of two sentences counts.
data::StoryData moves() {
  data::StoryData data{.file = "moves"};
  const char* rooms[] = {"attic", "cellar", "garden"};
  int64_t number = 0;
  for (const char* first : rooms) {
    for (const char* second : rooms) {
      if (first == second) continue;
      data.questions.push_back(
          {.story = {std::string("Mary went to the ") + first, "It was cold in there",
                     std::string("Then Mary ran to the ") + second},
           .question = "Where is Mary?",
           .answer = second,
           .number = number++});
    }
  }
  return data;
}

StoryQuestionsOptions small_story_questions(const char* units) {
  return {.model = {.units = units,
                    .num_hops = 2,
                    .transformer = {.d_model = 16,
                                    .num_heads = 2,
                                    .num_layers = 1,
                                    .d_ff = 32,
                                    .max_length = 20,
                                    .attention = {.positions = "learned"},
                                    .norm_first = false,
                                    .init = "xavier_uniform",
                                    .dropout = 0,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0}}};
}

StoryQuestions fresh(const char* units) {
  at::manual_seed(4);
  return {{.train = {moves()}, .valid = {moves()}}, small_story_questions(units)};
}

TEST(StoryQuestions, BalancedAnswersHaveTheSameWeightTogether) {
  data::StoryData data = moves();
  data.questions.push_back(data.questions[0]);  // "cellar" three times, the others twice
  StoryQuestionsOptions options = small_story_questions("sentences");
  options.empty_share = 0;
  options.class_weight = "balanced";
  at::manual_seed(4);
  StoryQuestions task({.train = {data}, .valid = {data}}, options);
  task.module().eval();
  const c10::NoGradGuard no_gradients;
  const double cellar = 7. / (3 * 3);
  const double garden = 7. / (3 * 2);
  const Loss both = task.loss(*task.prepare({0, 1}));
  EXPECT_NEAR(both.weight, cellar + garden, 1e-5);
  const auto of = [&](int64_t example) {
    return task.loss(*task.prepare({example})).value.item<double>();
  };
  EXPECT_NEAR(both.value.item<double>(), (of(0) * cellar + of(1) * garden) / (cellar + garden),
              1e-5);
  options.class_weight = "heavy";
  EXPECT_THROW(StoryQuestions({.train = {data}, .valid = {data}}, options), UsageError);
}

TEST(StoryQuestions, LearnWhatTheyAreShown) {
  for (const char* units : {"sentences", "words"}) {
    StoryQuestions task = fresh(units);
    task.module().train();
    learn(task, {0, 1, 2, 3, 4, 5}, 300);
    const Metrics metrics = task.validate({});
    expect_all(StoryQuestions::watchable(), metrics);
    EXPECT_TRUE(task.watched("exact_match").higher_is_better);
    EXPECT_EQ(metric(metrics, "exact_match"), 1) << units;
    EXPECT_EQ(metric(metrics, "f1"), 1);
    EXPECT_LT(metric(metrics, "loss"), 0.3) << units;
    EXPECT_EQ(metric(metrics, "questions"), 6);
  }
}

TEST(StoryQuestions, StoriesAreReadBackwards) {
  const StoryQuestions task = fresh("sentences");
  const text::Tokenizer& tokenizer = *task.trained().tokenizer;
  const Story story{{"Mary went to the attic", "It was cold"}, "Where is Mary?"};
  const StoryUnits read = story_units(task.trained(), story);
  EXPECT_THAT(read.units.sizes, ElementsAre(4, 3, 5));
  EXPECT_EQ(read.units.question, 1);
  std::vector<int32_t> expected = tokenizer.encode_ids("Where is Mary?");
  for (const char* text : {"It was cold", "Mary went to the attic"}) {
    const auto ids = tokenizer.encode_ids(text);
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(read.units.ids, expected);
  EXPECT_EQ(read.sources[0].sentence, -1);
  EXPECT_EQ(read.sources[1].sentence, 1);
  EXPECT_EQ(read.sources[2].sentence, 0);

  const StoryQuestions by_words = fresh("words");
  const StoryUnits words = story_units(by_words.trained(), story);
  EXPECT_EQ(words.units.question, 4);
  EXPECT_EQ(words.units.count(), 12);
  EXPECT_EQ(words.units.ids, expected);
  EXPECT_EQ(words.sources[6].range, (text::Span{7, 11}));  // "cold"
  EXPECT_THROW(story_units(by_words.trained(), {{"It was cold"}, " "}), DataError);
}

// What is far from the question is left out.
TEST(StoryQuestions, LongStoriesAreCut) {
  for (const char* units : {"sentences", "words"}) {
    const StoryQuestions task = fresh(units);
    Story story{{}, "Where is Mary?"};
    for (int i = 0; i < 100; ++i) story.sentences.emplace_back("Mary went to the attic");
    const StoryUnits read = story_units(task.trained(), story);
    EXPECT_EQ(read.units.count(), 20) << units;
    EXPECT_EQ(read.sources[5].sentence, units == std::string("words") ? 99 : 95);
    EXPECT_NO_THROW(answer(task.trained(), {story}));
  }
}

TEST(StoryQuestions, AnswersDoNotDependOnTheCompany) {
  for (const char* units : {"sentences", "words"}) {
    StoryQuestions task = fresh(units);
    task.module().eval();
    const std::vector<Story> stories = {{{}, "Where is Mary?"},
                                        {{"Mary ran", "It was cold", "???"}, "Where?"},
                                        {{"John went to the attic"}, "Where is the unheard-of?"}};
    const auto together = answer(task.trained(), stories);
    ASSERT_EQ(together.size(), 3U);
    for (size_t i = 0; i < stories.size(); ++i) {
      const auto alone = answer(task.trained(), {stories[i]});
      double sum = 0;
      for (size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(alone[0].probabilities[c], together[i].probabilities[c], 1e-6) << units;
        sum += together[i].probabilities[c];
      }
      EXPECT_NEAR(sum, 1, 1e-12);
    }
  }
}

TEST(StoryQuestions, MetricsAreThoseOfTheDefinition) {
  StoryQuestions task = fresh("sentences");
  task.module().eval();
  data::StoryData other{.file = "other"};
  other.questions.push_back({.story = {"Mary ran"}, .question = "Where?", .answer = "the attic"});
  other.questions.push_back({.story = {"Mary ran"}, .question = "Where?", .answer = "nowhere"});
  const QuestionEvaluation evaluation = evaluate(task.trained(), {moves(), other});
  ASSERT_EQ(evaluation.files.size(), 2U);
  double loss = 0;
  double exact = 0;
  for (const auto& each : moves().questions) {
    const ClassAnswer found = answer(task.trained(), {{each.story, each.question}})[0];
    size_t label = 0;
    while (task.trained().labels[label] != each.answer) ++label;
    loss -= std::log(found.probabilities[label]) / 6;
    exact += static_cast<size_t>(found.label) == label ? 1.0 / 6 : 0;
  }
  EXPECT_NEAR(metric(evaluation.files[0], "loss"), loss, 1e-6);
  EXPECT_NEAR(metric(evaluation.files[0], "exact_match"), exact, 1e-12);
  // "the attic" is no class, but the answer "attic" would be right; "nowhere" cannot be found.
  EXPECT_EQ(metric(evaluation.files[1], "loss"), 0);
  EXPECT_LE(metric(evaluation.files[1], "exact_match"), 0.5);
  EXPECT_EQ(metric(evaluation.files[1], "questions"), 2);
  EXPECT_EQ(metric(evaluation.all, "questions"), 8);
  EXPECT_NEAR(metric(evaluation.all, "exact_match"),
              (6 * exact + 2 * metric(evaluation.files[1], "exact_match")) / 8, 1e-12);
}

// Empty sentences come from torch's generator, and change the loss; without them it is one value.
TEST(StoryQuestions, EmptySentencesAreDrawnAnew) {
  at::manual_seed(4);
  StoryQuestionsOptions options = small_story_questions("sentences");
  options.empty_share = 0.5;
  options.model.transformer.max_length = 4;  // so that some sentences are pushed out
  StoryQuestions task({.train = {moves()}, .valid = {moves()}}, options);
  const auto batch = task.prepare({4, 0, 2});
  const auto loss_of = [&](uint64_t seed) {
    at::manual_seed(seed);
    return task.loss(*batch);
  };
  EXPECT_EQ(loss_of(7).value.item<float>(), loss_of(7).value.item<float>());
  EXPECT_NE(loss_of(7).value.item<float>(), loss_of(8).value.item<float>());
  EXPECT_EQ(loss_of(7).tokens, 3 * (4 + 5 + 5 + 6));
  EXPECT_EQ(loss_of(7).weight, 3);
}

TEST(StoryQuestions, RefuseWhatTheyCannotLearnFrom) {
  data::StoryData one = moves();
  for (auto& each : one.questions) each.answer = "attic";
  EXPECT_THROW(StoryQuestions({.train = {one}, .valid = {one}}, small_story_questions("words")),
               DataError);
  StoryQuestionsOptions options = small_story_questions("words");
  options.tokenizer = "words:2";
  EXPECT_THROW(StoryQuestions({.train = {moves()}, .valid = {moves()}}, options), UsageError);
  options = small_story_questions("sentences");
  options.empty_share = 1;
  EXPECT_THROW(StoryQuestions({.train = {moves()}, .valid = {moves()}}, options), UsageError);
}

}  // namespace
}  // namespace heed::tasks
