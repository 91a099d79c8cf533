#include "heed/models/token_tagger.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "heed/base/error.h"
#include "heed/models/testing/test_models.h"
#include "heed/models/testing/test_words.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/ops/testing/optimizers.h"

namespace heed::models {
namespace {

using Words = std::vector<std::string>;

TokenTaggerOptions small_token_tagger(const nn::AttentionSettings& attention) {
  return {
      .types = {"loc", "per"}, .words = small_words(), .transformer = small_transformer(attention)};
}

WordBatch batch_of(const std::vector<Words>& sentences) {
  std::vector<const Words*> pointers;
  for (const Words& words : sentences) pointers.push_back(&words);
  return small_reader().batch(pointers);
}

WordBatch sentences() {
  return batch_of({{"Tim", "Cook", "visits", "Paris", "and", "Cook"}, {"the", "sea"}, {"Paris"}});
}

// Of the sentences above, as rows of O, B-loc, I-loc, E-loc, S-loc, B-per, I-per, E-per, S-per.
at::Tensor targets() {
  return at::tensor({5, 7, 0, 4, 0, 8, /**/ 0, 0, 0, 0, 0, 0, /**/ 4, 0, 0, 0, 0, 0}, at::kLong)
      .view({3, 6});
}

TEST(TokenTagger, ASentenceIsScoredTheSameInAnyCompany) {
  for (const char* positions : {"none", "sinusoidal", "learned", "rotary", "alibi", "relative"}) {
    at::manual_seed(5);
    TokenTagger model(small_token_tagger({.positions = positions}));
    spread_parameters(model);
    model.to(at::kDouble);
    model.eval();
    const at::Tensor scores = model.forward(sentences());
    EXPECT_EQ(scores.sizes(), (at::IntArrayRef{3, 6, 9}));
    const at::Tensor alone = model.forward(batch_of({{"the", "sea"}}));
    EXPECT_LT(distance(alone[0], scores[1].slice(0, 0, 2)), 1e-12) << positions;
  }
}

TEST(TokenTagger, LearnsWithEveryScoreAndPattern) {
  const std::pair<const char*, const char*> cases[] = {{"dot", "full"},
                                                       {"scaled_dot", "window:2:2"},
                                                       {"cosine", "dilated:2:2:2|global:1"},
                                                       {"additive", "full"}};
  for (const char* output : {"crf", "softmax"}) {
    for (const auto& [score, pattern] : cases) {
      at::manual_seed(5);
      TokenTaggerOptions options = small_token_tagger({.score = score, .pattern = pattern});
      options.words.character_score = score;
      options.output = output;
      TokenTagger model(options);
      const WordBatch batch = sentences();
      torch::optim::Adam adam(model.parameters(), torch::optim::AdamOptions(1e-2));
      for (int step = 0; step < 30; ++step) {
        adam.zero_grad();
        model.loss(model.forward(batch), batch.lengths, targets()).sum().backward();
        adam.step();
      }
      for (const auto& item : model.named_parameters()) {
        EXPECT_TRUE(item.value().grad().defined()) << item.key();
      }
      const auto best = model.best(model.forward(batch), batch.lengths);
      EXPECT_EQ(best[0], (std::vector<int64_t>{5, 7, 0, 4, 0, 8})) << output << ' ' << score;
      EXPECT_EQ(best[1], (std::vector<int64_t>{0, 0}));
    }
  }
}

TEST(TokenTagger, AnswersFollowTheSchemeWhateverTheScores) {
  for (const char* output : {"crf", "softmax"}) {
    for (const std::string& name : text::tag_scheme_names()) {
      at::manual_seed(5);
      TokenTaggerOptions options = small_token_tagger({});
      options.output = output;
      options.tag_scheme = name;
      const TokenTagger model(options);
      const auto count = std::ssize(model.tags());
      const at::Tensor lengths = at::full({50}, 7, at::kLong);
      const at::Tensor scores = at::randn({50, 7, count}) * 5;
      for (const auto& rows : model.best(scores, lengths)) {
        std::vector<std::string> tags;
        for (const int64_t row : rows) tags.push_back(model.tags()[static_cast<size_t>(row)]);
        EXPECT_FALSE(text::first_tag_fault(tags, text::tag_scheme_named(name)).has_value())
            << output << ' ' << name;
      }
      const at::Tensor sums = model.probabilities(scores, lengths).sum(-1);
      EXPECT_LT((sums - 1).abs().max().item<double>(), 1e-9);
    }
  }
}

// A tag's own softmax, summed over the words.
TEST(TokenTagger, LossOfSoftmaxIsThatOfEachWord) {
  TokenTaggerOptions options = small_token_tagger({});
  options.output = "softmax";
  const TokenTagger model(options);
  const WordBatch batch = sentences();
  const at::Tensor scores = at::randn({3, 6, 9});
  const at::Tensor logs = -scores.log_softmax(-1).gather(2, targets().unsqueeze(-1)).squeeze(-1);
  const at::Tensor losses = model.loss(scores, batch.lengths, targets());
  EXPECT_NEAR(losses[0].item<double>(), logs[0].sum().item<double>(), 1e-5);
  EXPECT_NEAR(losses[1].item<double>(), logs[1].slice(0, 0, 2).sum().item<double>(), 1e-5);
}

// "O" is raised where an entity stands, nowhere else.
TEST(TokenTagger, TheMarginRaisesNoEntity) {
  for (const char* output : {"crf", "softmax"}) {
    TokenTaggerOptions options = small_token_tagger({});
    options.output = output;
    const TokenTagger model(options);
    const WordBatch batch = sentences();
    const at::Tensor scores = at::randn({3, 6, 9});
    at::Tensor raised = scores.clone();
    raised.select(2, 0).add_(targets().ne(0), 2.5);
    EXPECT_TRUE(model.loss(scores, batch.lengths, targets(), {.margin = 2.5})
                    .equal(model.loss(raised, batch.lengths, targets())));
    EXPECT_FALSE(raised.equal(scores));
  }
}

TEST(TokenTagger, ShowsItsAttention) {
  TokenTagger model(small_token_tagger({}));
  model.eval();
  nn::AttentionTrace trace;
  const nn::AttentionRecorder recorder;
  model.forward(sentences(), &trace);
  ASSERT_EQ(trace.weights.size(), 2U);
  EXPECT_EQ(trace.weights[0].sizes(), (at::IntArrayRef{3, 4, 6, 6}));
  EXPECT_EQ(recorder.self.size(), 2U);  // of words: what characters look at stands apart
}

TEST(TokenTagger, SaysWhichOptionCannotBeUsed) {
  const auto message = [](auto change) {
    TokenTaggerOptions options = small_token_tagger({});
    change(options);
    try {
      check(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  using Options = TokenTaggerOptions;
  EXPECT_EQ(message([](Options& o) { o.types = {}; }),
            "types: expected at least one type of entities, got none");
  EXPECT_EQ(message([](Options& o) {
              o.types = {"b", "a"};
            }),
            "types: expected them sorted and each once");
  EXPECT_EQ(message([](Options& o) { o.output = "mlp"; }),
            "output: expected one of crf, softmax, got 'mlp'");
}

class TokenTaggerFiles : public testing::Test {
 protected:
  void SetUp() override {
    TokenTaggerOptions options = small_token_tagger({.score = "additive",
                                                     .pattern = "window:3:2|global:1",
                                                     .positions = "relative",
                                                     .max_relative_positions = 7});
    options.tag_scheme = "bio";
    trained_ = {.model = std::make_shared<TokenTagger>(options),
                .tokenizer = small_subwords(),
                .characters = small_characters()};
    trained_.model->eval();
    save(trained_, directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string refusal() const {
    try {
      load_token_tagger(directory_);
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("heed-tagger-" + std::to_string(::getpid()));
  TrainedTokenTagger trained_;
};

TEST_F(TokenTaggerFiles, ComeBackAsTheyWere) {
  const TrainedTokenTagger loaded = load_token_tagger(directory_);
  EXPECT_EQ(loaded.model->tags(), trained_.model->tags());
  EXPECT_EQ(loaded.model->options().transformer.attention.pattern, "window:3:2|global:1");
  const Words words = {"Tim", "visits", "Paris"};
  const std::vector<const Words*> one = {&words};
  EXPECT_TRUE(loaded.model->forward(loaded.reader().batch(one))
                  .equal(trained_.model->forward(trained_.reader().batch(one))));
  // It replaces itself, characters.json and all.
  EXPECT_NO_THROW(save(trained_, directory_));
}

TEST_F(TokenTaggerFiles, WrongFieldsAreNamed) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"\"tag_scheme\": \"bio\"", "\"tag_scheme\": \"bilou\""}, "tag_scheme"},
      {{"\"tag_scheme\": \"bio\"", "\"tag_scheme\": \"bioes\""}, "entity_types"},
      {{"\"subword_dim\": 8", "\"subword_dim\": 16777216"}, "d_model"},
      {{"\"num_character_heads\": 2", "\"num_character_heads\": 4"}, "max_word_length"},
      {{"\"num_character_layers\": 1", "\"num_character_layers\": 2"}, "layer_1"},
      {{"\"max_word_length\": 6", "\"max_word_length\": 8"}, "max_word_length"},
      {{"\"output\": \"crf\"", "\"output\": \"hmm\""}, "output"},
      {{"\"output\": \"crf\"", "\"output\": \"softmax\""}, "begin"},
      {{"\"character_score\": \"scaled_dot\"", "\"character_score\": \"worse\""}, "worse"},
      {{"\"loc\"", "\"per\""}, "entity_types"},
      {{"\"heed_token_tagger\"", "\"resnet\""}, "model_type"},
      {{"\"heed_token_tagger\"", "\"bert\""}, "architectures"},
  };
  for (const auto& [change, expected] : cases) {
    SetUp();
    replace_in_config(directory_, change.first, change.second);
    EXPECT_NE(refusal().find(expected), std::string::npos) << change.second << ": " << refusal();
  }
}

TEST_F(TokenTaggerFiles, BothTokenizersAreNeeded) {
  std::filesystem::remove(directory_ / "characters.json");
  EXPECT_THROW(load_token_tagger(directory_), MissingInputError);
  EXPECT_THROW(load_token_tagger(directory_ / "nowhere"), MissingInputError);
}

}  // namespace
}  // namespace heed::models
