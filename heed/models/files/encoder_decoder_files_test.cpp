#include "heed/models/files/encoder_decoder_files.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/testing/test_models.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::models {
namespace {

std::shared_ptr<const text::Tokenizer> words(const char* text) {
  text::WordLevelOptions options;
  options.special_tokens = {"[PAD]", "[UNK]", kBeginToken, kEndToken};
  text::WordLevelBuilder builder(options);
  builder.add(text);
  return std::make_shared<const text::Tokenizer>(builder.build());
}

class EncoderDecoderFiles : public testing::Test {
 protected:
  void SetUp() override { make("all", nullptr); }

  // One vocabulary where the target's words are not given.
  void make(const char* tied, const char* target_words, nn::AttentionSettings attention = {}) {
    at::manual_seed(8);
    trained_.source = words("one two three four five six");
    trained_.target = target_words == nullptr ? trained_.source : words(target_words);
    TransformerOptions transformer = small_transformer(attention);
    trained_.model = std::make_shared<EncoderDecoder>(
        EncoderDecoderOptions{.source_vocab_size = trained_.source->size(),
                              .target_vocab_size = trained_.target->size(),
                              .tie_word_embeddings = tied,
                              .transformer = transformer,
                              .num_decoder_layers = 1});
    trained_.model->eval();
    save(trained_, directory_);
  }

  std::string refusal() const {
    return test::message_of<DataError>([&] { load_encoder_decoder(directory_); });
  }

  at::Tensor logits(const TrainedEncoderDecoder& trained) const {
    const TextBatch source{.ids = at::tensor({4, 5, 6, 7, 4, 3}, at::kLong).view({2, 3}),
                           .lengths = at::tensor({3, 2}, at::kLong)};
    return trained.model->forward(source,
                                  {.ids = at::tensor({2, 4, 2, 5}, at::kLong).view({2, 2})});
  }

  test::Folder folder_;
  std::filesystem::path directory_ = folder_ / "model";
  TrainedEncoderDecoder trained_;
};

TEST_F(EncoderDecoderFiles, ComeBackAsTheyWere) {
  for (const char* tied : {"all", "output", "none"}) {
    make(tied, nullptr);
    const TrainedEncoderDecoder loaded = load_encoder_decoder(directory_);
    EXPECT_EQ(loaded.source, loaded.target);
    EXPECT_EQ(loaded.model->options().tie_word_embeddings, tied);
    EXPECT_EQ(loaded.model->options().num_decoder_layers, 1);
    EXPECT_FALSE(loaded.model->is_training());
    EXPECT_TRUE(at::equal(logits(loaded), logits(trained_))) << tied;
  }
}

TEST_F(EncoderDecoderFiles, EachSideMayHaveItsVocabulary) {
  make("output", "eins zwei drei vier fünf sechs sieben acht");
  const TrainedEncoderDecoder loaded = load_encoder_decoder(directory_);
  EXPECT_NE(loaded.source, loaded.target);
  EXPECT_EQ(loaded.target->encode_ids("sieben"), trained_.target->encode_ids("sieben"));
  EXPECT_EQ(loaded.source->size() + 2, loaded.target->size());
  EXPECT_TRUE(at::equal(logits(loaded), logits(trained_)));

  // The file of the second vocabulary goes where there is one vocabulary again.
  make("all", nullptr);
  EXPECT_FALSE(std::filesystem::exists(directory_ / kTargetTokenizerFile));
}

TEST_F(EncoderDecoderFiles, KeepTheSettingsOfAttention) {
  make("all", nullptr,
       {.score = "additive",
        .pattern = "window:3:3",
        .positions = "relative",
        .num_key_value_heads = 2,
        .max_relative_positions = 5});
  const TrainedEncoderDecoder loaded = load_encoder_decoder(directory_);
  EXPECT_EQ(loaded.model->options().transformer.attention.pattern, "window:3:3");
  EXPECT_TRUE(at::equal(logits(loaded), logits(trained_)));
}

TEST_F(EncoderDecoderFiles, KeepRecurrentNetworks) {
  for (const char* cell : {"gru", "lstm"}) {
    for (const char* attention : {"additive", "dot", "none"}) {
      EncoderDecoderOptions options = trained_.model->options();
      options.architecture = "rnn";
      options.rnn = {.cell = cell, .attention = attention, .input_feeding = false};
      trained_.model = std::make_shared<EncoderDecoder>(options);
      trained_.model->eval();
      save(trained_, directory_);
      const TrainedEncoderDecoder loaded = load_encoder_decoder(directory_);
      EXPECT_TRUE(loaded.model->is_recurrent());
      EXPECT_EQ(loaded.model->options().rnn.attention, attention);
      EXPECT_FALSE(loaded.model->options().rnn.input_feeding);
      EXPECT_TRUE(at::equal(logits(loaded), logits(trained_))) << cell << ' ' << attention;
    }
  }
  replace_in_config(directory_, R"("rnn_cell": "lstm")", R"("rnn_cell": "gru")");
  EXPECT_NE(refusal().find("rnn_cell"), std::string::npos) << refusal();
  replace_in_config(directory_, R"("rnn_cell": "gru")", R"("rnn_cell": "lstm")");
  replace_in_config(directory_, R"("rnn_attention": "none")", R"("rnn_attention": "additive")");
  EXPECT_NE(refusal().find("rnn_attention"), std::string::npos) << refusal();
}

TEST_F(EncoderDecoderFiles, KeepThePartBeforeAttention) {
  EncoderDecoderOptions options = trained_.model->options();
  options.transformer.before_attention = "gru";
  trained_.model = std::make_shared<EncoderDecoder>(options);
  trained_.model->eval();
  save(trained_, directory_);
  const TrainedEncoderDecoder loaded = load_encoder_decoder(directory_);
  EXPECT_EQ(loaded.model->options().transformer.before_attention, "gru");
  EXPECT_TRUE(at::equal(logits(loaded), logits(trained_)));
}

TEST_F(EncoderDecoderFiles, WrongFieldsAreNamed) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"\"target_vocab_size\": 10", "\"target_vocab_size\": 9"}, "target_vocab_size"},
      {{"\"source_vocab_size\": 10", "\"source_vocab_size\": 11"}, "source_vocab_size"},
      {{"\"num_decoder_layers\": 1", "\"num_decoder_layers\": 2"}, "layer_1"},
      {{"\"num_decoder_layers\": 1", "\"num_decoder_layers\": -1"}, "num_decoder_layers"},
      {{"\"tie_word_embeddings\": \"all\"", "\"tie_word_embeddings\": \"some\""},
       "tie_word_embeddings"},
      {{"\"tie_word_embeddings\": \"all\"", "\"tie_word_embeddings\": \"none\""},
       "target.embedding.weight"},
      {{"\"shared_vocabulary\": true", "\"shared_vocabulary\": 1"}, "shared_vocabulary"},
      {{"\"heed_encoder_decoder\"", "\"resnet\""}, "model_type"},
      {{"\"heed_encoder_decoder\"", "\"marian\""}, "architectures"},
  };
  for (const auto& [change, expected] : cases) {
    SetUp();
    replace_in_config(directory_, change.first, change.second);
    EXPECT_NE(refusal().find(expected), std::string::npos) << change.second << ": " << refusal();
  }
}

TEST_F(EncoderDecoderFiles, ATokenizerWithoutAnEndIsRefused) {
  text::WordLevelBuilder builder;
  builder.add("one two three four five six");
  builder.build().save(directory_ / kTokenizerFile);
  EXPECT_NE(refusal().find("expected a token \"<s>\""), std::string::npos) << refusal();
}

TEST_F(EncoderDecoderFiles, AMissingFileIsMissingInput) {
  EXPECT_THROW(load_encoder_decoder(directory_ / "nowhere"), MissingInputError);
  make("output", "eins zwei");
  std::filesystem::remove(directory_ / kTargetTokenizerFile);
  EXPECT_THROW(load_encoder_decoder(directory_), MissingInputError);
}

}  // namespace
}  // namespace heed::models
