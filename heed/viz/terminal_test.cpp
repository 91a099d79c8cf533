#include "heed/viz/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "heed/base/error.h"

namespace heed {
namespace {

TEST(AttentionText, PlainShowsPercentages) {
  EXPECT_EQ(attention_text({"a", "good", "film"}, {0.1F, 0.875F, 0.025F}),
            "a(10%) good(88%) film(2.5%)\n");
}

TEST(AttentionText, ColorsStandForTheShareOfTheLargest) {
  const std::string text = attention_text({"a", "good"}, {0.0F, 0.5F}, {.colors = true});
  const std::string fixed =
      attention_text({"a", "good"}, {0.0F, 0.5F}, {.colors = true, .high = 0.5F});
  const std::string paler =
      attention_text({"a", "good"}, {0.0F, 0.5F}, {.colors = true, .high = 1.0F});
  EXPECT_EQ(text, fixed);
  EXPECT_NE(text, paler);
  EXPECT_THAT(text, testing::HasSubstr("\x1b[48;2;"));
  EXPECT_THAT(text, testing::HasSubstr(" good \x1b[0m\n"));
}

TEST(AttentionText, WrapsBeforeTheWidth) {
  const std::vector<std::string> tokens(30, "word");
  std::istringstream lines(attention_text(tokens, std::vector<float>(30, 0.5F), {.width = 40}));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(line.size(), 40U);
    EXPECT_NE(line.front(), ' ');
    EXPECT_NE(line.back(), ' ');
  }
  EXPECT_EQ(count, 8);  // four "word(50%)" and three spaces to a line
}

TEST(AttentionText, ATokenCannotWriteEscapeCodes) {
  EXPECT_THAT(attention_text({"\x1b[2J", "\xff"}, {0.5F, 0.5F}),
              testing::Not(testing::HasSubstr("\x1b")));
}

TEST(AttentionText, SaysWhereAWeightIsNoNumber) {
  EXPECT_EQ(attention_text({"a", "b"}, {NAN, 1.0F}), "a(?) b(100%)\n");
  EXPECT_THAT(attention_text({"a"}, {NAN}, {.colors = true}),
              testing::HasSubstr("48;2;237;107;33"));
}

TEST(AttentionText, NoTokensNoText) { EXPECT_EQ(attention_text({}, {}), ""); }

TEST(AttentionText, RefusesOtherCounts) {
  EXPECT_THROW(attention_text({"a", "b"}, {0.5F}), UsageError);
}

}  // namespace
}  // namespace heed
