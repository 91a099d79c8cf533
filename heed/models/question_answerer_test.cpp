#include "heed/models/question_answerer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/models/testing/test_models.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::models {
namespace {

QuestionAnswererOptions small_question_answerer(const char* answers, const char* units) {
  return {.vocab_size = 20,
          .answers = answers,
          .classes = 3,
          .units = units,
          .num_hops = 2,
          .transformer = small_transformer({.positions = "learned"}),
          .pad_token_id = 0};
}

std::vector<QuestionAnswererOptions> all_kinds() {
  return {small_question_answerer("class", "sentences"), small_question_answerer("class", "words"),
          small_question_answerer("span", "words")};
}

std::shared_ptr<QuestionAnswerer> evaluated(const QuestionAnswererOptions& options) {
  at::manual_seed(11);
  auto model = std::make_shared<QuestionAnswerer>(options);
  model->eval();
  return model;
}

// `units` units, the first of which are the question; sentences of 4 words, cut to different ones.
QuestionBatch random_batch(const QuestionAnswererOptions& options, int64_t rows, int64_t units) {
  const int64_t words = options.units == "words" ? 1 : 4;
  return {.ids = at::randint(1, 20, {rows, units, words}, at::kLong),
          .words = words == 1 ? at::ones({rows, units}, at::kLong)
                              : at::randint(1, words + 1, {rows, units}, at::kLong),
          .units = at::full({rows}, units, at::kLong),
          .question = at::full({rows}, words == 1 ? 3 : 1, at::kLong)};
}

TEST(SentenceVectors, AreThoseOfTheDefinition) {
  at::manual_seed(3);
  const at::Tensor words = at::randn({2, 3, 5, 8}, at::kDouble);
  const at::Tensor counts = at::tensor({5, 1, 0, 2, 3, 4}, at::kLong).view({2, 3});
  const at::Tensor found = sentence_vectors(words, counts);
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t u = 0; u < 3; ++u) {
      const auto length = counts[b][u].item<double>();
      for (int64_t k = 1; k <= 8; ++k) {
        double sum = 0;
        for (int64_t j = 1; j <= static_cast<int64_t>(length); ++j) {
          const double place = static_cast<double>(j) / length;
          const double weight = (1 - place) - static_cast<double>(k) / 8 * (1 - 2 * place);
          sum += weight * words[b][u][j - 1][k - 1].item<double>();
        }
        EXPECT_NEAR(found[b][u][k - 1].item<double>(), sum, 1e-12) << b << ' ' << u << ' ' << k;
      }
    }
  }
}

TEST(QuestionAnswerer, PaddingChangesNothing) {
  for (const auto& options : all_kinds()) {
    const auto model = evaluated(options);
    const QuestionBatch batch = random_batch(options, 2, 7);
    const at::Tensor alone = model->forward(batch);
    // Units behind the last and words behind the last of each sentence.
    const int64_t words = options.units == "words" ? 1 : 6;
    QuestionBatch padded = random_batch(options, 2, 12);
    padded.ids = at::randint(0, 20, {2, 12, words}, at::kLong);
    padded.ids.narrow(1, 0, 7).narrow(2, 0, batch.ids.size(2)).copy_(batch.ids);
    padded.words.narrow(1, 0, 7).copy_(batch.words);
    padded.units = batch.units;
    const at::Tensor with = model->forward(padded);
    if (options.answers == "class") {
      EXPECT_LT(distance(with, alone), 2e-6) << options.units;
    } else {
      EXPECT_LT(distance(with.narrow(2, 0, 7), alone), 2e-6);
      EXPECT_EQ(with.narrow(2, 7, 5).max().item<double>(), QuestionAnswerer::kNowhere);
    }
  }
}

TEST(QuestionAnswerer, ASpanStandsInTheTextOrNowhere) {
  const QuestionAnswererOptions options = small_question_answerer("span", "words");
  const at::Tensor scores = evaluated(options)->forward(random_batch(options, 2, 7));
  ASSERT_EQ(scores.sizes(), at::IntArrayRef({2, 2, 7}));
  const at::Tensor possible = scores > QuestionAnswerer::kNowhere / 2;
  const at::Tensor expected =
      at::tensor({1, 0, 0, 1, 1, 1, 1}, at::kLong).to(at::kBool).expand({2, 2, 7});
  EXPECT_TRUE(at::equal(possible, expected));
}

// One stack for all hops: as many weights, another result, all layers of each hop in the trace.
TEST(QuestionAnswerer, HopsShareTheirWeights) {
  QuestionAnswererOptions options = small_question_answerer("class", "sentences");
  const auto two = evaluated(options);
  options.num_hops = 1;
  const auto one = evaluated(options);
  EXPECT_EQ(one->parameters().size(), two->parameters().size());
  const QuestionBatch batch = random_batch(options, 2, 5);
  nn::AttentionTrace trace;
  const at::Tensor result = two->forward(batch, &trace);
  ASSERT_EQ(trace.weights.size(), 4U);
  EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({2, 4, 5, 5}));
  EXPECT_GT(distance(one->forward(batch), result), 1e-3);
  EXPECT_TRUE(at::equal(two->forward(batch), result));
}

// The mean of the question's states decides, so their order of sentences must be able to matter.
TEST(QuestionAnswerer, TheOrderOfSentencesMatters) {
  const QuestionAnswererOptions options = small_question_answerer("class", "sentences");
  const auto model = evaluated(options);
  QuestionBatch batch = random_batch(options, 1, 4);
  const at::Tensor before = model->forward(batch);
  const at::Tensor order = at::tensor({0, 2, 1, 3}, at::kLong);
  batch.ids = batch.ids.index_select(1, order);
  batch.words = batch.words.index_select(1, order);
  EXPECT_GT(distance(model->forward(batch), before), 1e-4);
}

TEST(QuestionAnswerer, GradientsReachEveryParameter) {
  for (const auto& options : all_kinds()) {
    at::manual_seed(11);
    QuestionAnswerer model(options);
    const at::Tensor result = model.forward(random_batch(options, 4, 7));
    result.masked_fill(result < QuestionAnswerer::kNowhere / 2, 0).pow(2).sum().backward();
    for (const auto& item : model.named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_GT(item.value().grad().abs().sum().item<double>(), 0) << item.key();
    }
  }
}

TEST(QuestionAnswerer, RefusesOptionsThatCannotBe) {
  auto refused = [](auto change) {
    QuestionAnswererOptions options = small_question_answerer("class", "sentences");
    change(options);
    EXPECT_THROW(check(options), UsageError);
  };
  refused([](auto& o) { o.answers = "poem"; });
  refused([](auto& o) { o.answers = "span"; });
  refused([](auto& o) { o.units = "pages"; });
  refused([](auto& o) { o.classes = 1; });
  refused([](auto& o) { o.num_hops = 0; });
  refused([](auto& o) { o.max_unit_length = 0; });
  refused([](auto& o) { o.pad_token_id = 20; });
  refused([](auto& o) { o.transformer.max_length = 1; });
  refused([](auto& o) { o.transformer.num_heads = 5; });
}

class QuestionAnswererFiles : public testing::Test {
 protected:
  void make(QuestionAnswererOptions options) {
    text::WordLevelBuilder builder;
    builder.add("a few words to know , and no more");
    auto tokenizer = std::make_shared<const text::Tokenizer>(builder.build());
    options.vocab_size = tokenizer->size();
    at::manual_seed(11);
    trained_ = {.model = std::make_shared<QuestionAnswerer>(options), .tokenizer = tokenizer};
    if (options.answers == "class") {
      trained_.labels = {"attic", "no \"idea\"", "kitchen"};
    } else {
      trained_.spans = {.max_answer_length = 7, .doc_stride = 5, .answer_may_be_missing = true};
    }
    trained_.model->eval();
    save(trained_, directory_);
  }

  std::string refusal() const {
    try {
      load_question_answerer(directory_);
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }

  test::Folder folder_;
  std::filesystem::path directory_ = folder_ / "model";
  TrainedQuestionAnswerer trained_;
};

TEST_F(QuestionAnswererFiles, ComeBackAsTheyWere) {
  for (auto options : all_kinds()) {
    options.transformer.attention.score = "additive";
    options.transformer.attention.pattern = "window:3:2|global:1";
    options.transformer.activation = "swiglu";
    make(options);
    const TrainedQuestionAnswerer loaded = load_question_answerer(directory_);
    EXPECT_EQ(loaded.labels, trained_.labels);
    EXPECT_EQ(loaded.spans.max_answer_length, trained_.spans.max_answer_length);
    EXPECT_EQ(loaded.spans.doc_stride, trained_.spans.doc_stride);
    EXPECT_EQ(loaded.spans.answer_may_be_missing, trained_.spans.answer_may_be_missing);
    const QuestionAnswererOptions& back = loaded.model->options();
    EXPECT_EQ(back.num_hops, 2);
    EXPECT_EQ(back.max_unit_length, options.max_unit_length);
    EXPECT_EQ(back.embedding_std, options.embedding_std);
    EXPECT_EQ(back.transformer.attention.pattern, "window:3:2|global:1");
    QuestionBatch batch = random_batch(options, 2, 6);
    batch.ids = batch.ids.clamp_max(7);
    EXPECT_TRUE(at::equal(loaded.model->forward(batch), trained_.model->forward(batch)));
  }
}

TEST_F(QuestionAnswererFiles, WrongFieldsAreNamed) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"\"answers\": \"class\"", "\"answers\": \"poem\""}, "max_answer_length"},
      {{"\"units\": \"sentences\"", "\"units\": \"pages\""}, "units"},
      {{"\"num_hops\": 2", "\"num_hops\": 0"}, "num_hops"},
      {{"\"num_hops\": 2", "\"num_hops\": 2000000"}, "num_hops"},
      {{"\"d_model\": 32", "\"d_model\": 16777216"}, "vocab_size"},
      {{"\"max_length\": 64", "\"max_length\": 640000"}, "max_length"},
      {{"\"num_heads\": 4", "\"num_heads\": 5"}, "num_heads"},
      {{"\"heed_question_answerer\"", "\"resnet\""}, "model_type"},
      {{"\"heed_question_answerer\"", "\"bert\""}, "architectures"},
      {{"\"kitchen\"", "\"attic\""}, "id2label"},
  };
  for (const auto& [change, expected] : cases) {
    make(small_question_answerer("class", "sentences"));
    replace_in_config(directory_, change.first, change.second);
    EXPECT_NE(refusal().find(expected), std::string::npos) << change.second << ": " << refusal();
  }
  make(small_question_answerer("span", "words"));
  replace_in_config(directory_, "\"doc_stride\": 5", "\"doc_stride\": 0");
  EXPECT_NE(refusal().find("doc_stride"), std::string::npos) << refusal();
}

TEST_F(QuestionAnswererFiles, AMissingDirectoryIsMissingInput) {
  EXPECT_THROW(load_question_answerer(directory_ / "nowhere"), MissingInputError);
}

}  // namespace
}  // namespace heed::models
