#include "heed/text/builders/bpe_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/testing/test_files.h"

namespace heed::text {
namespace {

using testing::ElementsAre;

Tokenizer build(std::string_view text, BpeOptions options) {
  BpeBuilder builder(std::move(options));
  builder.add(text);
  return builder.build();
}

std::vector<std::string> merges_of(const Tokenizer& tokenizer) {
  std::vector<std::string> merges;
  const Json json = Json::parse(tokenizer.to_json());
  for (const Json& merge : json["model"]["merges"]) {
    merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  return merges;
}

TEST(BpeBuilder, MergesTheMostFrequentPair) {
  const Tokenizer tokenizer = build("abab abab cab", {});
  EXPECT_THAT(merges_of(tokenizer), ElementsAre("a b", "ab ab"));
  EXPECT_THAT(tokenizer.encode("ababab").tokens, ElementsAre("abab", "ab"));
}

TEST(BpeBuilder, OverlappingPairsAreCountedOnce) {
  EXPECT_THAT(merges_of(build("aaaa aaaa aaa", {})), ElementsAre("a a", "aa aa"));
}

// What a merge costs depends on where its pair stands, not on how long the words are.
TEST(BpeBuilder, OneLongWordIsLearntLikeManyShortOnes) {
  std::string word;
  uint32_t state = 1;
  for (int i = 0; i < 400'000; ++i) {
    state = state * 1664525 + 1013904223;
    word += static_cast<char>('a' + (state >> 24) % 5);
  }
  const Tokenizer tokenizer = build(word, {.vocab_size = 1000});
  EXPECT_EQ(tokenizer.size(), 1000);
  // As the `tokenizers` package learns it.
  EXPECT_THAT(merges_of(build("abcababcababcababcabbca", {})),
              ElementsAre("a b", "c ab", "ab cab", "abcab abcab"));
}

// A merge that spelt a special token would make one of a text.
TEST(BpeBuilder, SpecialTokensAreNotLearntFromTexts) {
  BpeOptions options;
  options.pre_tokenizers = {"WhitespaceSplit"};
  options.decoder = "Fuse";
  const Tokenizer tokenizer = build("[PAD] [PAD] [PAD]", options);
  EXPECT_THAT(merges_of(tokenizer), testing::Not(testing::Contains("[PAD ]")));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_ids("[PAD]")), "[PAD]");
  EXPECT_EQ(build("<|endoftext|>", byte_level_options())
                .decode(build("<|endoftext|>", byte_level_options()).encode_ids("<|endoftext|>")),
            "<|endoftext|>");
}

TEST(BpeBuilder, StopsAtTheSize) {
  const Tokenizer tokenizer = build("abab abab cab", {.vocab_size = 6});
  EXPECT_EQ(tokenizer.size(), 6);  // two special tokens, a, b, c, ab
}

TEST(BpeBuilder, TiesAreDecided) {
  EXPECT_THAT(merges_of(build("ab ab cd cd", {})), ElementsAre("a b", "c d"));
  BpeOptions options;
  options.ties = BpeOptions::Ties::kSpelling;
  EXPECT_THAT(merges_of(build("ab ab cd cd", options)), ElementsAre("c d", "a b"));
}

TEST(BpeBuilder, ByteLevelSpellsEverything) {
  const Tokenizer tokenizer = build("the theme", byte_level_options());
  for (const char* text : {"", "the", " 中\n\t é😀 theme<|endoftext|", "\x01\x7f"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode_ids(text)), text);
  }
}

TEST(BpeBuilder, WordPiece) {
  BpeBuilder builder(word_piece_options());
  builder.add("Playing played play player");
  const Tokenizer tokenizer = builder.build_word_piece();
  EXPECT_EQ(tokenizer.model_type(), "WordPiece");
  EXPECT_THAT(tokenizer.encode("PLAYED play").tokens, ElementsAre("playe", "##d", "play"));
  EXPECT_THAT(tokenizer.encode("playplay").tokens, ElementsAre("[UNK]"));  // no "##p"
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_ids("played player")), "played player");
  EXPECT_THROW(BpeBuilder(BpeOptions{}).build_word_piece(), UsageError);
}

TEST(BpeBuilder, ReportsProgress) {
  BpeOptions options;
  options.vocab_size = 6;
  std::vector<int64_t> seen;
  options.progress = [&](int64_t done, int64_t total) {
    seen.push_back(done);
    EXPECT_EQ(total, 6);
  };
  build("abab abab cab", options);
  EXPECT_THAT(seen, ElementsAre(6));
}

TEST(BpeBuilder, RefusesOptionsThatCannotBeUsed) {
  EXPECT_THROW(BpeBuilder({.vocab_size = 2}), UsageError);
  EXPECT_THROW(BpeBuilder({.min_frequency = 0}), UsageError);
  EXPECT_THROW(BpeBuilder({.unknown_token = "<unk>"}), UsageError);
  EXPECT_THROW(BpeBuilder({.pre_tokenizers = {"{\"type\": 1}"}}), DataError);
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  LineReader reader(file);
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

// A token that ends no word is marked, as subword-nmt writes it.
std::string segmented(const Encoding& encoding) {
  constexpr std::string_view kEnd = "</w>";
  std::string text;
  for (const std::string& token : encoding.tokens) {
    if (!text.empty()) text += ' ';
    text += token.ends_with(kEnd) ? token.substr(0, token.size() - kEnd.size()) : token + "@@";
  }
  return text;
}

TEST(BpeBuilder, ReproducesSubwordNmt) {
  const auto folder = test::shared_data("subword_nmt");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is missing";
  std::vector<std::string> expected = lines_of(folder / "bpe.ref");
  expected.erase(expected.begin());  // #version
  const std::vector<std::string> corpus = lines_of(folder / "corpus.en");

  BpeBuilder builder(subword_nmt_options());
  for (const std::string& line : corpus) builder.add(line);
  const Tokenizer tokenizer = builder.build();
  std::vector<std::string> merges = merges_of(tokenizer);
  ASSERT_GE(merges.size(), expected.size());
  merges.resize(expected.size());
  EXPECT_EQ(merges, expected);

  // As many merges as the reference has, applied to the corpus.
  Json json = Json::parse(tokenizer.to_json());
  Json& all = json["model"]["merges"];
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(expected.size()), all.end());
  const Tokenizer cut = Tokenizer::from_json(json.dump());
  const std::vector<std::string> reference = lines_of(folder / "corpus.bpe.ref.en");
  ASSERT_EQ(reference.size(), corpus.size());
  for (size_t i = 0; i < corpus.size(); ++i) {
    EXPECT_EQ(segmented(cut.encode(corpus[i])), reference[i]) << "line " << i + 1;
  }
}

}  // namespace
}  // namespace heed::text
