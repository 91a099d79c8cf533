#include "heed/tasks/text/classify.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::tasks {
namespace {

std::shared_ptr<const text::Tokenizer> tokenizer() {
  text::WordLevelBuilder builder;
  builder.add("red blue grey sky sea stone .");
  return std::make_shared<const text::Tokenizer>(builder.build().with_max_length(4));
}

models::TextClassifierOptions sizes(const text::Tokenizer& tokenizer, const char* documents) {
  return {
      .vocab_size = tokenizer.size(),
      .classes = 3,
      .pad_token_id = *tokenizer.padding_id(),
      .transformer = {.d_model = 16, .num_heads = 2, .num_layers = 1, .d_ff = 32, .max_length = 4},
      .documents = documents,
      .max_sentences = 3};
}

models::TrainedTextClassifier small_classify(const char* documents) {
  at::manual_seed(4);
  const auto words = tokenizer();
  models::TrainedTextClassifier trained{
      .model = std::make_shared<models::TextClassifier>(sizes(*words, documents)),
      .tokenizer = words,
      .labels = {"cold", "warm", "wet"}};
  trained.model->eval();
  return trained;
}

std::vector<std::string> parts(const models::TrainedTextClassifier& trained,
                               const std::string& text) {
  std::vector<std::string> all;
  for (const text::Span& span : rows_of(trained, text)) {
    all.push_back(text.substr(span.begin, span.size()));
  }
  return all;
}

using Texts = std::vector<std::string>;

TEST(Classify, RowsAreTheTextOrItsFirstSentences) {
  const std::string text = "Red sky. Blue sea!\nGrey stone";
  EXPECT_EQ(parts(small_classify("whole"), text), Texts{text});
  EXPECT_EQ(parts(small_classify("lines"), text), (Texts{"Red sky. Blue sea!", "Grey stone"}));
  EXPECT_EQ(parts(small_classify("sentences"), text),
            (Texts{"Red sky.", "Blue sea!", "Grey stone"}));
  EXPECT_EQ(parts(small_classify("lines"), "a\nb\n\nc\nd"),
            (Texts{"a", "b", "c"}));  // the most are 3
  EXPECT_EQ(parts(small_classify("lines"), " \n "), Texts{});
  EXPECT_EQ(parts(small_classify("whole"), ""), Texts{""});
}

TEST(Classify, BatchesOfDocuments) {
  const auto trained = small_classify("lines");
  const TextRows two = encode_rows(trained, "red sky\nblue");
  const TextRows none = encode_rows(trained, "");
  const TextRows cut = encode_rows(trained, "red red red red red red");
  EXPECT_EQ(tokens_of(two), 3);
  EXPECT_EQ(tokens_of(cut), 4);  // a sentence has at most so many
  const auto batch = document_batch(*trained.model, {&two, &none, &cut});
  EXPECT_TRUE(at::equal(batch.sentences, at::tensor({2, 0, 1}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.rows.lengths, at::tensor({2, 1, 4}, at::kLong)));
  EXPECT_EQ(batch.rows.ids.sizes(), (at::IntArrayRef{3, 4}));
  EXPECT_EQ(batch.rows.ids[1][1].item<int64_t>(), trained.model->options().pad_token_id);
  EXPECT_FALSE(document_batch(*small_classify("whole").model, {&two}).sentences.defined());
}

TEST(Classify, DocumentsDoNotDependOnTheCompany) {
  const auto trained = small_classify("sentences");
  const Texts texts = {"red sky. blue sea.", "", "grey", "stone stone. grey! sea? red.", "???"};
  const auto together = classify(trained, texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = classify(trained, {texts[i]});
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(alone[0].probabilities[c], together[i].probabilities[c], 1e-6) << texts[i];
    }
  }
}

TEST(Classify, SeveralLabelsHaveAThresholdEach) {
  EXPECT_EQ(labels_above({0.5, 0.2, 0.9}, {0.5, 0.3, 0.1}), (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(labels_above({0.1}, {0.2}), std::vector<int32_t>{});
  auto trained = small_classify("whole");
  const auto one = classify(trained, {"red sky"});
  EXPECT_NEAR(one[0].probabilities[0] + one[0].probabilities[1] + one[0].probabilities[2], 1,
              1e-12);
  EXPECT_TRUE(one[0].labels.empty());
  trained.label_separator = ",";
  trained.thresholds = {0, 1, 0};
  const auto several = classify(trained, {"red sky"});
  EXPECT_EQ(several[0].labels, (std::vector<int32_t>{0, 2}));
  // Softmax and sigmoid of the same logits: odds have the ratios of probabilities.
  const auto odds = [&](size_t c) {
    return several[0].probabilities[c] / (1 - several[0].probabilities[c]);
  };
  EXPECT_NEAR(odds(0) / odds(1), one[0].probabilities[0] / one[0].probabilities[1], 1e-6);
}

TEST(Classify, ScoresOfSeveralLabels) {
  auto trained = small_classify("whole");
  trained.label_separator = ",";
  trained.thresholds = {0.5, 0.5, 0.5};
  data::ClassificationData data{.files = {"memory"}, .label_names = trained.labels};
  data.examples = {{.text = "a", .labels = {0, 2}}, {.text = "b", .labels = {}}};
  const std::vector<Classification> results = {
      {.probabilities = {0.75, 0.5, 0.25}, .labels = {0, 1}},
      {.probabilities = {0.5, 0.25, 0.125}, .labels = {0}}};
  const ClassificationScores scores = scores_of(
      trained, data, {judge(results[0], data.examples[0]), judge(results[1], data.examples[1])});
  const double loss = -(std::log(0.75) + std::log(0.5) + std::log(0.25) + std::log(0.5) +
                        std::log(0.75) + std::log(0.875)) /
                      6;
  EXPECT_NEAR(metric(scores.metrics, "loss"), loss, 1e-12);
  EXPECT_NEAR(metric(scores.metrics, "micro_f1"), 2. * 1 / (3 + 2), 1e-12);
  EXPECT_NEAR(metric(scores.metrics, "macro_f1"), (2. / 3) / 3, 1e-12);
  EXPECT_EQ(metric(scores.metrics, "subset_accuracy"), 0);
  EXPECT_EQ(metric(scores.metrics, "examples"), 2);
  EXPECT_TRUE(scores.counts && !scores.confusion);
  // Of "cold" between the text that has it and the one that has not, and so on.
  const std::vector<double> best = best_thresholds(results, data);
  EXPECT_EQ(best, (std::vector<double>{0.625, 0.5, 0.1875}));
  EXPECT_THROW(scores_of(trained, {.files = {"memory"}, .label_names = trained.labels}, {}),
               UsageError);
}

}  // namespace
}  // namespace heed::tasks
