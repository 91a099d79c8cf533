#include "heed/text/regex/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

using List = std::vector<std::string>;

List matches(const std::string& pattern, std::string_view text) {
  std::vector<Span> spans;
  Regex(pattern).find_all(text, spans);
  List found;
  for (const Span& span : spans) found.emplace_back(text.substr(span.begin, span.size()));
  return found;
}

TEST(Regex, MatchesInOrder) {
  EXPECT_EQ(matches(R"(\p{L}+|\p{N}{1,3})", "Süß 12345, ½"), (List{"Süß", "123", "45", "½"}));
  EXPECT_EQ(matches(R"((?i:'s|'ll)|[^\r\n\p{L}\p{N}]?\p{L}+|\s+(?!\S)|\s+)", "we'LL  go"),
            (List{"we", "'LL", " ", " go"}));
  EXPECT_EQ(matches(R"([^\s\p{L}]+)", "a\u0085+\u00a01"), (List{"+", "1"}));
  EXPECT_EQ(matches(R"([\u4e00-\u9fa5]+)", "ab中国c"), (List{"中国"}));
  EXPECT_EQ(matches("x", ""), List{});
  EXPECT_EQ(matches("(?=b)b?", "abb"), (List{"b", "b"}));
}

TEST(Regex, ClassesMeanWhatTheyMeanInOniguruma) {
  EXPECT_EQ(matches(R"(\s)", "a\u180eb\u2003c"), (List{"\u2003"}));  // no blank since Unicode 6.3
  EXPECT_EQ(matches(R"(\w+)", "e\u0301_1-x"), (List{"e\u0301_1", "x"}));
  EXPECT_EQ(matches(R"(\h+)", "beef xyz 0A"), (List{"beef", "0A"}));
  EXPECT_EQ(matches(R"(\P{L})", "a1"), (List{"1"}));
  EXPECT_EQ(matches(R"(\p{^N})", "a1"), (List{"a"}));
  EXPECT_EQ(matches(R"(\p{Han}+)", "漢字と かな"), (List{"漢字"}));
  EXPECT_EQ(matches(R"([a-z&&[^aeiou]]+)", "abcde"), (List{"bcd"}));
  EXPECT_EQ(matches(R"([[:alpha:]]+)", "ab1Ä"), (List{"ab", "Ä"}));
  EXPECT_EQ(matches(R"((?i)ß)", "SS ss ß"), (List{"SS", "ss", "ß"}));
  EXPECT_EQ(matches(R"(\p{N}{1,3}+)", "12345"), (List{"12345"}));  // ( {1,3} )+
  EXPECT_EQ(matches("a.", "ab\na\n"), (List{"ab"}));
}

TEST(Regex, AnEmptyMatchDoesNotTouchTheOneBefore) {
  EXPECT_EQ(matches("a*", "baab"), (List{"", "aa", ""}));
  EXPECT_EQ(matches(R"((?=[A-Z]))", "aBcD"), (List{"", ""}));
  EXPECT_EQ(matches("x*", "é"), (List{"", ""}));
  EXPECT_EQ(matches("a*", ""), List{});
}

// Whatever an expression returns, spans are whole characters, in order and inside the text.
TEST(Regex, MatchesStayInside) {
  const std::string text = "aé漢b😀ab";
  for (const char* pattern :
       {R"(\C)", R"((?=ab\K))", R"((?<=a\K).)", R"(\X\K)", R"(\y|.\K(?=.))", R"(.*\K)", R"((?~b))",
        R"(\xC3)", R"([\x80-\xff]+)", R"(\O)", R"((?=(.*\K))..)"}) {
    std::vector<Span> spans;
    try {
      Regex(pattern).find_all(text, spans);
    } catch (const UsageError&) {
    }
    uint32_t last = 0;
    for (const Span& span : spans) {
      EXPECT_LE(last, span.begin) << pattern;
      EXPECT_LE(span.begin, span.end) << pattern;
      EXPECT_LE(span.end, text.size()) << pattern;
      EXPECT_TRUE(is_utf8(text.substr(span.begin, span.size()))) << pattern;
      last = span.end;
    }
  }
}

TEST(Regex, RefusesWhatIsNoExpression) {
  for (const char* pattern :
       {"(", "\\", "[a", R"(\p{Nonsense}x)", "a{3,2}(", R"((?<a>\g<a>))", "(?<=a*)b("}) {
    EXPECT_THROW(Regex{pattern}, UsageError) << pattern;
  }
  try {
    Regex("\\p{No\nsense}");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("invalid character property name {No\\nsense}"));
  }
}

TEST(Regex, SearchesThatTakeTooLongAreRefused) {
  std::vector<Span> spans;
  EXPECT_THAT(
      [&] { Regex("(?:a|aa)+$").find_all(std::string(100, 'a') + "b", spans); },
      testing::ThrowsMessage<DataError>(testing::HasSubstr("on a text of 101 bytes: retry-limit")));
}

TEST(Regex, LongTexts) {
  const std::string text(1 << 20, 'a');
  EXPECT_EQ(matches("(?:a|b)+", text).size(), 1u);
}

}  // namespace
}  // namespace heed::text
