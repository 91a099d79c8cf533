#include "heed/tasks/text/span_questions.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "heed/base/error.h"
#include "heed/tasks/testing/test_learning.h"
#include "heed/tasks/text/span_answers.h"

namespace heed::tasks {
namespace {

enum class Missing { kNone, kSome };

// "Where is <thing>?" of a text that says it of two things.
data::SpanData places(Missing missing) {
  data::SpanData data{.file = "places"};
  const char* things[] = {"boat", "lamp", "shoe"};
  const char* spots[] = {"behind the door", "at sea", "here"};
  for (size_t a = 0; a < 3; ++a) {
    const size_t b = (a + 1) % 3;
    const std::string first = std::string("The ") + things[a] + " lies ";
    const std::string second = std::string(". The ") + things[b] + " stands ";
    const std::string context = first + spots[a] + second + spots[b] + ".";
    data.contexts.push_back(context);
    const auto add = [&](const char* thing, const char* spot) {
      data::SpanQuestion question{.context = a,
                                  .question = std::string("Where is the ") + thing + "?"};
      if (spot != nullptr) {
        const auto begin = static_cast<uint32_t>(context.find(spot));
        const auto size = static_cast<uint32_t>(std::string(spot).size());
        question.answers.push_back({spot, {begin, begin + size}});
      }
      data.questions.push_back(question);
    };
    add(things[a], spots[a]);
    add(things[b], spots[b]);
    if (missing == Missing::kSome) add(things[(a + 2) % 3], nullptr);
  }
  return data;
}

SpanQuestionsOptions small_span_questions(int64_t longest) {
  return {.model = {.num_hops = 2,
                    .transformer = {.d_model = 32,
                                    .num_heads = 2,
                                    .num_layers = 1,
                                    .d_ff = 64,
                                    .max_length = longest,
                                    .attention = {.positions = "learned"},
                                    .norm_first = false,
                                    .init = "xavier_uniform",
                                    .dropout = 0,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0}},
          .reading = {.max_answer_length = 4, .doc_stride = 5}};
}

SpanQuestions fresh(Missing missing, int64_t longest) {
  at::manual_seed(4);
  return {{.train = places(missing), .valid = places(missing)}, small_span_questions(longest)};
}

TEST(SpanQuestions, LearnWhatTheyAreShown) {
  for (const Missing missing : {Missing::kNone, Missing::kSome}) {
    SpanQuestions task = fresh(missing, 32);
    EXPECT_EQ(task.trained().spans.answer_may_be_missing, missing == Missing::kSome);
    std::vector<int64_t> examples;
    for (size_t i = 0; i < task.train_lengths().size(); ++i) {
      examples.push_back(static_cast<int64_t>(i));
    }
    learn(task, examples, 200);
    const Metrics metrics = task.validate({});
    expect_all(SpanQuestions::watchable(), metrics);
    EXPECT_EQ(metric(metrics, "exact_match"), 1);
    EXPECT_EQ(metric(metrics, "f1"), 1);
    EXPECT_EQ(metric(metrics, "questions"), missing == Missing::kNone ? 6 : 9);
  }
}

TEST(SpanQuestions, WhatIsTooLongIsCounted) {
  SpanQuestionsOptions options = small_span_questions(16);
  options.reading = {.max_answer_length = 2, .doc_stride = 11};
  const data::SpanData data = places(Missing::kNone);
  const SpanQuestions task({.train = data, .valid = data}, options);
  EXPECT_EQ(
      task.cut().warnings(),
      (std::vector<std::string>{
          "2 of 6 answers have more than 2 words (--max-answer-length) and will never be given",
          "1 of 6 answers have more than what two windows share (--doc-stride 11) and are in none "
          "of them as a whole, so that they are not learnt",
          "8 of 12 texts have more than 16 words, the question among them (--max-length), and are "
          "read in windows"}));
}

// With windows as long as the text, the probabilities are those of the definition; and those of all
// spans and of none sum to one.
TEST(SpanQuestions, ProbabilitiesAreThoseOfTheDefinition) {
  SpanQuestions task = fresh(Missing::kSome, 32);
  task.module().eval();
  const data::SpanData data = places(Missing::kSome);
  const SpanRequest request{data.contexts[0], data.questions[0].question};
  const SpanAnswers found = answer(task.trained(), {request}, 1000)[0];
  const SpanUnits read = first_window(task.trained(), request);
  const at::Tensor scores =
      task.trained().model->forward(question_batch({&read.units}, 0))[0].to(at::kDouble);
  const auto units = static_cast<int64_t>(read.offsets.size());
  double total = std::exp((scores[0][0] + scores[1][0]).item<double>());
  const double none = total;
  std::vector<FoundSpan> all;
  for (int64_t i = read.units.question; i < units; ++i) {
    for (int64_t j = i; j < std::min(i + 4, units); ++j) {
      const double score = std::exp((scores[0][i] + scores[1][j]).item<double>());
      total += score;
      all.push_back(
          {{read.offsets[static_cast<size_t>(i)].begin, read.offsets[static_cast<size_t>(j)].end},
           score});
    }
  }
  ASSERT_EQ(found.best.size(), all.size());
  double sum = found.none;
  for (const FoundSpan& each : found.best) {
    sum += each.probability;
    const auto same = std::find_if(all.begin(), all.end(),
                                   [&](const FoundSpan& x) { return x.range == each.range; });
    ASSERT_NE(same, all.end());
    EXPECT_NEAR(each.probability, same->probability / total, 1e-6);
  }
  EXPECT_NEAR(found.none, none / total, 1e-6);
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_TRUE(std::is_sorted(
      found.best.begin(), found.best.end(),
      [](const FoundSpan& a, const FoundSpan& b) { return a.probability > b.probability; }));
}

// A text of several windows: every token can begin one answer, and company changes nothing.
TEST(SpanQuestions, WindowsAnswerTogether) {
  SpanQuestions task = fresh(Missing::kSome, 13);
  task.module().eval();
  const data::SpanData data = places(Missing::kSome);
  EXPECT_GT(task.train_lengths().size(), data.questions.size());
  std::vector<SpanRequest> requests;
  for (const auto& each : data.questions) {
    requests.push_back({data.contexts[each.context], each.question});
  }
  const auto together = answer(task.trained(), requests, 1000);
  for (size_t i = 0; i < requests.size(); ++i) {
    const SpanAnswers alone = answer(task.trained(), {requests[i]}, 1000)[0];
    ASSERT_EQ(alone.best.size(), together[i].best.size());
    double sum = alone.none;
    std::vector<uint32_t> begins;
    for (const FoundSpan& each : alone.best) {
      sum += each.probability;
      begins.push_back(each.range.begin);
      EXPECT_EQ(std::count_if(alone.best.begin(), alone.best.end(),
                              [&](const FoundSpan& x) { return x.range == each.range; }),
                1);
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_NEAR(alone.none, together[i].none, 1e-6);
    std::sort(begins.begin(), begins.end());
    begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
    const auto tokens = task.trained().tokenizer->encode(requests[i].context);
    EXPECT_EQ(begins.size(), tokens.ids.size());
  }
}

TEST(SpanQuestions, LongQuestionsAndShortTextsAreRead) {
  SpanQuestions task = fresh(Missing::kNone, 8);
  task.module().eval();
  std::string question;
  for (int i = 0; i < 50; ++i) question += "where ";
  const auto answers = answer(task.trained(), {{"here", question}, {"...", "?"}}, 3);
  EXPECT_EQ(answers[0].best.size(), 1U);
  EXPECT_NEAR(answers[0].best[0].probability, 1, 1e-9);
  EXPECT_EQ(answers[0].none, 0);
  EXPECT_TRUE(answers[0].found());
  EXPECT_THROW(answer(task.trained(), {{"here", " "}}, 1), DataError);
}

TEST(SpanQuestions, ProgressGoesOverAllFiles) {
  SpanQuestions task = fresh(Missing::kNone, 16);
  task.module().eval();
  std::vector<int64_t> reports;
  const QuestionEvaluation evaluation =
      evaluate(task.trained(), {places(Missing::kNone), places(Missing::kSome)},
               [&](int64_t done, int64_t total) {
                 EXPECT_EQ(total, 6 + 9);
                 reports.push_back(done);
               });
  EXPECT_EQ(metric(evaluation.all, "questions"), 6 + 9);
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
  EXPECT_EQ(reports.back(), 6 + 9);
}

TEST(SpanQuestions, RefuseOptionsThatCannotBe) {
  const data::SpanTrainingData data{.train = places(Missing::kNone),
                                    .valid = places(Missing::kNone)};
  SpanQuestionsOptions options = small_span_questions(32);
  options.reading.doc_stride = 0;
  EXPECT_THROW(SpanQuestions(data, options), UsageError);
  options = small_span_questions(32);
  options.reading.max_answer_length = 0;
  EXPECT_THROW(SpanQuestions(data, options), UsageError);
}

}  // namespace
}  // namespace heed::tasks
