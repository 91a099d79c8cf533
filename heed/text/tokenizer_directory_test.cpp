#include "heed/text/tokenizer_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/text/testing/sentencepiece_files.h"

namespace heed::text {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_files::charsmap_of;
using testing_files::ProtoWriter;
using testing_files::sentencepiece_of;
using testing_files::TestPiece;

class TokenizerDirectory : public testing::Test {
 protected:
  TokenizerDirectory() { std::filesystem::create_directories(folder_); }
  ~TokenizerDirectory() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  Tokenizer tokenizer() {
    return load_tokenizer(folder_).tokenizer.with_specials(Specials::kAsTokens);
  }

  std::string message() {
    try {
      load_tokenizer(folder_);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(TokenizerDirectory, VocabularyOfWords) {
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nÄ\n");
  EXPECT_THAT(tokenizer().encode_ids("Ab ä [MASK]"), ElementsAre(2, 5, 6, 5, 4, 3));
  EXPECT_THAT(tokenizer().encode_pair("a", "a").type_ids, ElementsAre(0, 0, 0, 1, 1));
  write(
      "tokenizer_config.json",
      "{\"do_lower_case\": false, \"model_max_length\": 1e30, \"chat_template\": \"{{x}}\","
      " \"mask_token\": {\"content\": \"[MASK]\", \"lstrip\": true}, \"padding_side\": \"left\"}");
  write("added_tokens.json", "{\"xy\": 8}");
  const LoadedTokenizer loaded = load_tokenizer(folder_);
  EXPECT_EQ(loaded.max_length, std::nullopt);
  EXPECT_EQ(loaded.special.mask, 4);
  EXPECT_EQ(loaded.special.pad, 0);
  EXPECT_EQ(loaded.special.bos, std::nullopt);
  EXPECT_EQ(loaded.padding_side, LoadedTokenizer::Side::kLeft);
  EXPECT_EQ(loaded.tokenizer.size(), 9);
  EXPECT_THAT(tokenizer().encode_ids("Ä  [MASK]xy"), ElementsAre(2, 7, 4, 8, 3));
  EXPECT_THAT(tokenizer().encode("Ä  [MASK]").offsets,
              ElementsAre(Span{}, Span{0, 2}, Span{2, 10}, Span{}));
}

// A module of sentence-transformers has the last word on the length, and no text is padded.
TEST_F(TokenizerDirectory, LengthsOfTheModulesOfSentences) {
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n");
  Json json = Json::parse(load_tokenizer(folder_).tokenizer.to_json());
  json["truncation"] = {{"max_length", 4}, {"strategy", "LongestFirst"}, {"stride", 0}};
  json["padding"] = {{"strategy", {{"Fixed", 4}}},
                     {"direction", "Right"},
                     {"pad_to_multiple_of", nullptr},
                     {"pad_id", 0},
                     {"pad_type_id", 0},
                     {"pad_token", "[PAD]"}};
  write("tokenizer.json", json.dump());
  EXPECT_EQ(load_tokenizer(folder_).max_length, 4);
  EXPECT_THAT(tokenizer().encode_ids("a"), ElementsAre(2, 5, 3));
  write("tokenizer_config.json", "{\"model_max_length\": 5, \"truncation_side\": \"left\"}");
  EXPECT_THAT(tokenizer().encode_ids("[PAD] a a a a a"), ElementsAre(2, 5, 5, 5, 3));
  write("sentence_bert_config.json", "{\"max_seq_length\": 6, \"do_lower_case\": false}");
  EXPECT_EQ(load_tokenizer(folder_).max_length, 6);
  EXPECT_EQ(load_tokenizer(folder_).tokenizer.encode_ids("a a a a a").size(), 6u);
  EXPECT_EQ(load_tokenizer(folder_).files.size(), 2u);
}

TEST_F(TokenizerDirectory, ByteLevel) {
  write("vocab.json", "{\"a\": 0, \"Ġ\": 1, \"Ġa\": 2, \"<|endoftext|>\": 3}");
  write("merges.txt", "#version: 0.2\nĠ a\n");
  EXPECT_THAT(tokenizer().encode_ids("a a<|endoftext|>"), ElementsAre(0, 2, 3));
  write("tokenizer_config.json",
        "{\"tokenizer_class\": \"GPT2TokenizerFast\", \"add_bos_token\": true}");
  EXPECT_THAT(tokenizer().encode_ids("a"), ElementsAre(3, 0));
  write("tokenizer_config.json", "{\"tokenizer_class\": \"RobertaTokenizer\"}");
  const LoadedTokenizer roberta = load_tokenizer(folder_);
  EXPECT_THAT(roberta.tokenizer.encode_pair("a", "a").ids, ElementsAre(4, 0, 5, 5, 0, 5));
  EXPECT_EQ(roberta.special.mask, 8);
  write("tokenizer_config.json", "{\"tokenizer_class\": \"CodeGenTokenizer\"}");
  EXPECT_THAT(message(), AllOf(HasSubstr("CodeGenTokenizer"), HasSubstr("GPT2Tokenizer")));
}

// <pad> </s> <unk> ▁a b, with a table that makes "ﬁ" of "b".
std::string unigram() {
  return sentencepiece_of(
      {{"<pad>", 0, 3}, {"</s>", 0, 3}, {"<unk>", 0, 2}, {"▁a", -1}, {"b", -2}, {"▁", -3}},
      ProtoWriter().number(3, 1).number(40, 2), ProtoWriter().text(2, charsmap_of({{"ﬁ", "b"}})));
}

TEST_F(TokenizerDirectory, SentencePieceByClass) {
  write("spiece.model", unigram());
  write("config.json", "{\"model_type\": \"t5\"}");
  EXPECT_THAT(tokenizer().encode_ids("abﬁ c<extra_id_0>"), ElementsAre(3, 4, 4, 5, 2, 105, 1));
  EXPECT_EQ(load_tokenizer(folder_).special.pad, 0);
  EXPECT_EQ(load_tokenizer(folder_).tokenizer.size(), 106);
  EXPECT_EQ(tokenizer().decode(std::vector<int32_t>{3, 4, 3, 1}), "ab a");
  write("config.json", "{\"model_type\": \"xlm-roberta\"}");
  EXPECT_THAT(tokenizer().encode_ids("ab"), ElementsAre(0, 4, 5, 2));
  write("config.json", "{\"model_type\": \"camembert\"}");
  write("spiece.model",
        sentencepiece_of({{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3}, {"▁a", -1}},
                         ProtoWriter().number(3, 1)));
  EXPECT_THAT(tokenizer().encode_ids("a"), ElementsAre(5, 7, 6));
  EXPECT_EQ(tokenizer().encode("a <mask>").offsets.at(2), (Span{1, 8}));  // with the blank
  write("spiece.model", unigram());
  // Another class: as SentencePiece itself.
  write("config.json", "{\"model_type\": \"something\"}");
  EXPECT_THAT(tokenizer().encode_ids("  ab  b"), ElementsAre(3, 4, 5, 4));
  write("tokenizer_config.json", "{\"tokenizer_class\": \"LlamaTokenizer\"}");
  EXPECT_THAT(message(), AllOf(HasSubstr("spiece.model"), HasSubstr("trainer_spec.model_type")));
}

TEST_F(TokenizerDirectory, BytesAndMergesOfSentencePiece) {
  std::vector<TestPiece> pieces = {{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3}};
  for (size_t byte = 0; byte < 256; ++byte) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const std::string text = {'<', '0', 'x', kDigits[byte / 16], kDigits[byte % 16], '>'};
    pieces.push_back({text, 0, 6});
  }
  for (const char* text : {"▁a", "aa", "▁", "a"}) {
    pieces.push_back({text, -static_cast<float>(pieces.size() - 259)});
  }
  write("tokenizer.model", sentencepiece_of(pieces, ProtoWriter().number(3, 2).number(35, 1)));
  write("tokenizer_config.json",
        "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true}");
  EXPECT_THAT(tokenizer().encode_ids("aaaé"), ElementsAre(1, 259, 260, 3 + 0xC3, 3 + 0xA9));
  EXPECT_EQ(tokenizer().decode(tokenizer().encode_ids("aaaé")), "aaaé");
}

TEST_F(TokenizerDirectory, MarianHasTwoSides) {
  write("source.spm", unigram());
  write("target.spm", sentencepiece_of({{"<unk>", 0, 2}, {"▁", -3}, {"c", -1}, {"▁d", -1}},
                                       ProtoWriter().number(3, 1).number(40, 0)));
  write("vocab.json",
        "{\"▁d\": 0, \"c\": 1, \"▁a\": 2, \"b\": 3, \"</s>\": 4, \"<unk>\": 5, \"<pad>\": 6,"
        " \"▁\": 7, \">>fr<<\": 8}");
  write("config.json", "{\"model_type\": \"marian\"}");
  const LoadedTokenizer loaded = load_tokenizer(folder_);
  EXPECT_EQ(loaded.max_length, 512);
  // What no piece covers is looked up as it stands: "c" is in the vocabulary, "d" is not.
  EXPECT_THAT(loaded.tokenizer.encode_ids(">>fr<< a bc  d"), ElementsAre(8, 2, 7, 3, 1, 7, 5, 4));
  ASSERT_TRUE(loaded.target.has_value());
  EXPECT_THAT(loaded.target->encode_ids("dc"), ElementsAre(0, 1, 4));
  EXPECT_EQ(loaded.target->decode(std::vector<int32_t>{0, 1, 0, 4}), "dc d");
  const Tokenizer again = Tokenizer::from_json(loaded.tokenizer.to_json());
  EXPECT_EQ(again.to_json(), loaded.tokenizer.to_json());
  EXPECT_THAT(again.encode_ids("a bc"), ElementsAre(2, 7, 3, 1, 4));
}

// Both ways to split "---" are as likely: the sums of float32 decide, as in SentencePiece 0.2.3.
TEST_F(TokenizerDirectory, MarianSumsScoresInFloat32) {
  write("source.spm", sentencepiece_of({{"<unk>", 0, 2}, {"▁x", -1}, {"-", -8.7F}, {"--", -6.14F}},
                                       ProtoWriter().number(3, 1).number(40, 0)));
  write("target.spm",
        sentencepiece_of({{"<unk>", 0, 2}, {"▁x", -1}}, ProtoWriter().number(3, 1).number(40, 0)));
  write("vocab.json", "{\"▁x\": 0, \"-\": 1, \"--\": 2, \"</s>\": 3, \"<unk>\": 4, \"<pad>\": 5}");
  write("config.json", "{\"model_type\": \"marian\"}");
  EXPECT_THAT(tokenizer().encode_ids("x---"), ElementsAre(0, 1, 2, 3));
}

TEST_F(TokenizerDirectory, RefusesWhatContradictsItself) {
  EXPECT_THAT(message(), AllOf(HasSubstr("tokenizer.json"), HasSubstr("vocab.txt")));
  EXPECT_THROW(load_tokenizer(folder_ / "missing"), MissingInputError);
  write("vocab.txt", "[UNK]\na\n");
  write("added_tokens.json", "{\"xy\": 9}");
  EXPECT_THAT(message(), AllOf(HasSubstr("xy"), HasSubstr("2"), HasSubstr("9")));
  write("added_tokens.json", "{\"xy\": \"2\"}");
  EXPECT_THAT(message(), HasSubstr("added_tokens.json: field 'xy'"));
  std::filesystem::remove(folder_ / "added_tokens.json");
  for (const auto& [field, value] :
       std::map<std::string, std::string>{{"do_lower_case", "1"},
                                          {"mask_token", "{\"lstrip\": true}"},
                                          {"model_max_length", "\"512\""},
                                          {"padding_side", "\"top\""},
                                          {"added_tokens_decoder", "{\"x\": {\"content\": \"a\"}}"},
                                          {"unk_token", "null"},
                                          {"tokenizer_class", "3"}}) {
    write("tokenizer_config.json", "{\"" + field + "\": " + value + "}");
    EXPECT_THAT(message(), AllOf(HasSubstr("tokenizer_config.json"), HasSubstr(field)));
  }
}

TEST_F(TokenizerDirectory, RefusesDamagedSentencePieceFiles) {
  const std::string whole = unigram();
  write("config.json", "{\"model_type\": \"t5\"}");
  // Cut anywhere, it says so or lacks some of the pieces; it never does anything else.
  for (size_t size = 0; size < whole.size(); size += size < 120 ? 1 : 97) {
    write("spiece.model", whole.substr(0, size));
    const std::string found = message();
    EXPECT_TRUE(found == "accepted" || found.find("spiece.model") != std::string::npos) << found;
    EXPECT_EQ(found.find('\n'), std::string::npos);
  }
  const auto with = [&](const std::vector<TestPiece>& pieces, const ProtoWriter& trainer,
                        const ProtoWriter& normalizer = {}) {
    write("spiece.model", sentencepiece_of(pieces, trainer, normalizer));
    return message();
  };
  const std::vector<TestPiece> pieces = {{"<pad>", 0, 3}, {"</s>", 0, 3}, {"<unk>", 0, 2}};
  const ProtoWriter trainer = ProtoWriter().number(3, 1).number(40, 2);
  EXPECT_EQ(with(pieces, trainer), "accepted");
  EXPECT_THAT(with({{"a"}, {"", 0}}, trainer), HasSubstr("field 'pieces[1]'"));
  EXPECT_THAT(with({{"a"}, {"\xFF", 0}}, trainer), HasSubstr("field 'pieces[1].piece'"));
  EXPECT_THAT(with({{"a", 0, 9}}, trainer), HasSubstr("field 'pieces[0].type'"));
  EXPECT_THAT(with({{"a"}, {"a"}, {"b"}}, trainer), HasSubstr("twice"));
  EXPECT_THAT(with({{"a", std::numeric_limits<float>::infinity()}}, trainer),
              HasSubstr("pieces[0]"));
  EXPECT_THAT(with(pieces, ProtoWriter().number(3, 1).number(40, 3)),
              HasSubstr("trainer_spec.unk_id"));
  EXPECT_THAT(with(pieces, ProtoWriter().number(3, 4)), HasSubstr("trainer_spec.model_type"));
  EXPECT_THAT(with(pieces, trainer, ProtoWriter().text(2, "abc")),
              HasSubstr("normalizer_spec.precompiled_charsmap"));
  write("spiece.model", "{\"json\": true}");
  EXPECT_THAT(message(), HasSubstr("spiece.model"));
}

}  // namespace
}  // namespace heed::text
