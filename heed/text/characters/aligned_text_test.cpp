#include "heed/text/characters/aligned_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heed/text/characters/unicode.h"
#include "heed/text/characters/unicode_normalization.h"

namespace heed::text {
namespace {

AlignedText aligned(const std::string& text) {
  return AlignedText(text, {0, static_cast<uint32_t>(text.size())}, AlignedText::Tracking::kOn);
}

TEST(AlignedText, AnUntouchedPartKnowsWhereItStood) {
  const AlignedText text("one two", {4, 7}, AlignedText::Tracking::kOn);
  EXPECT_EQ(text.text(), "two");
  EXPECT_EQ(text.source({1, 3}), (Span{5, 7}));
}

TEST(AlignedText, RewritesKeepTheirOrigin) {
  AlignedText text("__abcd", {2, 6}, AlignedText::Tracking::kOn);
  Rewrite first(text);
  first.keep({0, 1});
  first.put(U'é', {1, 3});
  first.put("!!", {3, 4});
  first.finish();
  EXPECT_EQ(text.text(), "aé!!");
  EXPECT_EQ(text.source({1, 3}), (Span{3, 5}));
  EXPECT_EQ(text.source({0, 5}), (Span{2, 6}));

  Rewrite second(text);
  second.put("x", {1, 5});
  second.finish();
  EXPECT_EQ(text.text(), "x");
  EXPECT_EQ(text.source({0, 1}), (Span{3, 6}));
}

TEST(AlignedText, AnInsertionStandsForNothing) {
  AlignedText text = aligned("ab");
  Rewrite rewrite(text);
  rewrite.keep({0, 1});
  rewrite.put("-", {1, 1});
  rewrite.keep({1, 2});
  rewrite.put("-", {2, 2});
  rewrite.finish();
  EXPECT_EQ(text.text(), "a-b-");
  EXPECT_EQ(text.source({1, 2}), (Span{1, 1}));
  EXPECT_EQ(text.source({3, 4}), (Span{2, 2}));
}

TEST(AlignedText, NormalisationKeepsTheOrigin) {
  AlignedText text = aligned("xe\u0301\u00e9\ufb01");
  normalize_unicode(text, Form::kNfc);
  EXPECT_EQ(text.text(), "xéé\ufb01");
  EXPECT_EQ(text.source({1, 3}), (Span{1, 2}));  // that of its first part
  EXPECT_EQ(text.source({3, 5}), (Span{4, 6}));
  normalize_unicode(text, Form::kNfkd);
  EXPECT_EQ(text.text(), "xe\u0301e\u0301fi");
  EXPECT_EQ(text.source({1, 4}), (Span{1, 2}));
  EXPECT_EQ(text.source({7, 9}), (Span{6, 9}));
}

// The values of tokenizers 0.23.3, a token for each character.
TEST(AlignedText, NormalisationPlacesMarksAsThePackage) {
  const auto places = [](const std::string& original, Form form) {
    AlignedText text = aligned(original);
    normalize_unicode(text, form);
    std::vector<Span> spans;
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      next_code_point(text.text(), at);
      spans.push_back(text.source(span(begin, at)));
    }
    return spans;
  };
  // Marks in another order stand where the others stood.
  EXPECT_EQ(places("a\u0301\u0323b", Form::kNfd),
            (std::vector<Span>{{0, 1}, {1, 3}, {3, 5}, {5, 6}}));
  // The lower mark comes first; in NFC it composes.
  EXPECT_EQ(places("x\u00e1\u0323b", Form::kNfd),
            (std::vector<Span>{{0, 1}, {1, 3}, {3, 5}, {3, 5}, {5, 6}}));
  EXPECT_EQ(places("x\u00e1\u0323b", Form::kNfc),
            (std::vector<Span>{{0, 1}, {1, 3}, {3, 5}, {5, 6}}));
  EXPECT_EQ(places("\u1112\u1161\u11abb", Form::kNfc), (std::vector<Span>{{0, 3}, {9, 10}}));
}

TEST(AlignedText, APartOfACharacterCameFromAllOfIt) {
  const AlignedText text = aligned("a\ufeffb");
  EXPECT_EQ(text.source({1, 2}), (Span{1, 4}));
  EXPECT_EQ(text.source({2, 3}), (Span{1, 4}));
  EXPECT_EQ(text.source({3, 5}), (Span{1, 5}));
}

TEST(AlignedText, NormalisationLeavesWhatCameAfterUnicode9) {
  AlignedText text = aligned("\u32ff\U00011938");
  for (const Form form : {Form::kNfc, Form::kNfd, Form::kNfkc, Form::kNfkd}) {
    normalize_unicode(text, form);
    EXPECT_EQ(text.text(), "\u32ff\U00011938");
  }
}

}  // namespace
}  // namespace heed::text
