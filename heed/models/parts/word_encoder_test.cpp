#include "heed/models/parts/word_encoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/testing/test_models.h"
#include "heed/models/testing/test_words.h"

namespace heed::models {
namespace {

using Words = std::vector<std::string>;

WordBatch sentence_of(const Words& words) {
  const std::vector<const Words*> one = {&words};
  return small_reader().batch(one);
}

TEST(WordEncoder, AWordIsTheSameInAnyCompany) {
  at::manual_seed(2);
  WordEncoder encoder(small_words());
  spread_parameters(encoder);
  encoder.to(at::kDouble);
  encoder.eval();
  const at::Tensor together = encoder.forward(sentence_of({"paris", "a", "visits", "the"}));
  ASSERT_EQ(together.sizes(), (at::IntArrayRef{4, word_dim(small_words())}));
  EXPECT_EQ(word_dim(small_words()), 8 + 8 + 3 * 4);
  EXPECT_LT(distance(encoder.forward(sentence_of({"a"}))[0], together[1]), 1e-12);
  EXPECT_LT(distance(encoder.forward(sentence_of({"the"}))[0], together[3]), 1e-12);
}

// Short and long words are read apart, and come back in their order.
TEST(WordEncoder, LongWordsStandWhereTheyStood) {
  at::manual_seed(2);
  WordEncoderOptions options = small_words();
  options.max_word_length = 12;
  options.subword_dim = 0;
  WordEncoder encoder(options);
  spread_parameters(encoder);
  encoder.to(at::kDouble);
  encoder.eval();
  const WordReader reader(small_subwords(), small_characters(), {.characters = 12});
  const auto read = [&](const Words& words) {
    const std::vector<const Words*> one = {&words};
    return encoder.forward(reader.batch(one));
  };
  const Words words = {"a", "abcdefghijkl", "visits", "abcdefghi", "abcdefgh", "the"};
  const at::Tensor together = read(words);
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_LT(distance(read({words[i]})[0], together[static_cast<int64_t>(i)]), 1e-12) << words[i];
  }
  EXPECT_EQ(read({words[1], words[3]}).size(0), 2);
}

TEST(WordEncoder, SubwordsAreTheirMean) {
  at::manual_seed(2);
  WordEncoderOptions options = small_words();
  options.character_dim = 0;
  options.shape_dim = 0;
  const WordEncoder encoder(options);
  const WordBatch batch = sentence_of({"the", "theseasea"});
  const at::Tensor table = encoder.named_parameters()["subwords.weight"];
  const at::Tensor ids = batch.subwords.ids[1];
  const at::Tensor real = ids.masked_select(ids != options.subword_pad_token_id);
  EXPECT_GT(real.numel(), 1);
  EXPECT_LT(distance(encoder.forward(batch)[1], table.index_select(0, real).mean(0)), 1e-6);
}

// How many tokens a word has is told, not guessed: a tokenizer.json may name any token as padding.
TEST(WordEncoder, ATokenMayBeThePaddingId) {
  at::manual_seed(2);
  const WordEncoderOptions options = small_words();
  WordEncoder encoder(options);
  spread_parameters(encoder);
  encoder.eval();
  WordBatch batch = sentence_of({"the", "sea"});
  batch.subwords.ids[0].fill_(options.subword_pad_token_id);
  batch.characters.ids[0].fill_(options.character_pad_token_id);
  const at::Tensor vectors = encoder.forward(batch);
  EXPECT_TRUE(vectors.isfinite().all().item<bool>());
  EXPECT_LT(vectors.abs().max().item<double>(), 1e6);
}

// The order of characters counts: the attention between them knows distances.
TEST(WordEncoder, CharactersSeeTheirOrder) {
  at::manual_seed(2);
  WordEncoderOptions options = small_words();
  options.subword_dim = 0;
  options.shape_dim = 0;
  WordEncoder encoder(options);
  spread_parameters(encoder);
  encoder.eval();
  const at::Tensor out = encoder.forward(sentence_of({"abca", "aacb"}));
  EXPECT_GT(distance(out[0], out[1]), 1e-3);
}

TEST(WordEncoder, SentencesWithoutWordsGiveFiniteNumbers) {
  WordEncoder encoder(small_words());
  EXPECT_TRUE(encoder.forward(sentence_of({})).isfinite().all().item<bool>());
}

TEST(WordEncoder, ErrorsNameTheField) {
  const auto message = [](auto change) {
    WordEncoderOptions options = small_words();
    change(options);
    try {
      WordEncoder encoder(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  using Options = WordEncoderOptions;
  EXPECT_NE(message([](Options& o) { o.num_character_heads = 3; }).find("num_character_heads"),
            std::string::npos);
  EXPECT_NE(message([](Options& o) { o.subword_vocab_size = 0; }).find("subword_vocab_size"),
            std::string::npos);
  EXPECT_NE(message([](Options& o) { o.character_dropout = 1; }).find("character_dropout"),
            std::string::npos);
  EXPECT_NE(
      message([](Options& o) { o.subword_dim = o.character_dim = o.shape_dim = 0; }).find("words"),
      std::string::npos);
}

}  // namespace
}  // namespace heed::models
