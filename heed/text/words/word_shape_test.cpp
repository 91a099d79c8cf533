#include "heed/text/words/word_shape.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace heed::text {
namespace {

int32_t capitals(std::string_view word) { return word_shape(word).features[0]; }
int32_t kind(std::string_view word) { return word_shape(word).features[1]; }
int32_t length(std::string_view word) { return word_shape(word).features[2]; }

TEST(WordShape, Capitals) {
  const std::set<int32_t> all = {capitals("paris"), capitals("Paris"),  capitals("USA"),
                                 capitals("A"),     capitals("iPhone"), capitals("12")};
  EXPECT_EQ(all.size(), 6u);
  EXPECT_EQ(capitals("Élan"), capitals("Paris"));
  EXPECT_EQ(capitals("ΑΘΗΝΑ"), capitals("USA"));
  EXPECT_EQ(capitals("O'Neill"), capitals("McDonald"));
  EXPECT_EQ(capitals("東京"), capitals("..."));
}

TEST(WordShape, Kinds) {
  const std::set<int32_t> all = {kind("word"),  kind("2016"), kind("@tim"), kind("#fun"),
                                 kind("www.x"), kind("?!"),   kind("mp3"),  kind("e-mail")};
  EXPECT_EQ(all.size(), 8u);
  EXPECT_EQ(kind("@"), kind("?"));
  EXPECT_EQ(kind("https://t.co/x1"), kind("www.x"));
  EXPECT_EQ(kind("東京"), kind("word"));
}

TEST(WordShape, LengthsAreOfCharactersAndEveryFeatureHasItsRange) {
  EXPECT_EQ(length("東京"), length("ab"));
  EXPECT_NE(length("a"), length("ab"));
  EXPECT_EQ(length(std::string(13, 'a')), length(std::string(500, 'a')));
  EXPECT_EQ(length(std::string(500, 'a')), WordShape::kCount - 1);
  for (const char* word : {"a", "Paris", "@x", "12", "..."}) {
    const auto f = word_shape(word).features;
    EXPECT_TRUE(f[0] >= 0 && f[0] < 6 && f[1] >= 6 && f[1] < 14 && f[2] >= 14) << word;
  }
}

}  // namespace
}  // namespace heed::text
