#include "heed/text/regex/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

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
  // Letters of Unicode 16, which the library behind does not know.
  EXPECT_EQ(matches(R"(\p{L}+)", "\U00010D4A"), (List{"\U00010D4A"}));
}

TEST(Regex, RefusesWhatOthersReadDifferently) {
  for (const char* pattern : {R"(\p{N}{1,3}+)", "[a[bc]]", R"([\w&&[^a]])", "[[:alpha:]]", "a*",
                              "(", "\\", R"([\S])", R"(\u12)", R"(\p{Nonsense}x)"}) {
    EXPECT_THROW(Regex{pattern}, UsageError) << pattern;
  }
  try {
    Regex("ab[c&&d]");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("at byte 4: && between classes"));
  }
}

TEST(Regex, LongTexts) {
  const std::string text(1 << 20, 'a');
  EXPECT_EQ(matches("(?:a|b)+", text).size(), 1u);
}

}  // namespace
}  // namespace heed::text
