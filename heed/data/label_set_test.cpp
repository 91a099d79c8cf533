#include "heed/data/label_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Labels : public ::testing::Test {
 protected:
  void add(LabelSet& set, const std::string& label) {
    set.index_of(label, [this](const std::string& detail) { said_.push_back(detail); });
  }

  // What is said of the second of two labels.
  std::vector<std::string> said_of(const std::string& first, const std::string& second) {
    LabelSet set({});
    add(set, first);
    said_.clear();
    add(set, second);
    return said_;
  }

  std::vector<std::string> said_;
};

TEST_F(Labels, ThatDifferOnlyInTheirEncodingAreOne) {
  LabelSet set({});
  for (const char* label :
       {"caf\u00e9 bar", "cafe\u0301\u00a0bar", "caf\u00e9\u200b bar", " caf\u00e9 bar "}) {
    add(set, label);
  }
  EXPECT_EQ(set.count(), 1);
  EXPECT_EQ(said_.size(), 2u);
  EXPECT_THAT(said_[0], HasSubstr("taken for one class"));
}

TEST_F(Labels, ThatLookAlikeAreSaid) {
  const std::pair<const char*, const char*> pairs[] = {
      {"Positive", "positive "},
      {"spam", "SPAM"},
      {"positive", "p\u043esitive"},                 // Cyrillic
      {"HOT", "\u041d\u041e\u0422"},                 // all of it
      {"beta", "\u0392eta"},                         // Greek
      {"non-spam", "non\u2011spam"},                 // another hyphen
      {"don't know", "don\u2019t know"},             // another quote
      {"class 1", "\uff43lass \uff11"},              // wide letters
      {"\u043a\u043e\u0442", "\u041a\u043e\u0442"},  // case alone
  };
  for (const auto& [first, second] : pairs) {
    EXPECT_THAT(said_of(first, second), ElementsAre(HasSubstr("taken for two classes"))) << second;
  }
  EXPECT_THAT(said_of("Positive", "positive")[0],
              HasSubstr("\"positive\" looks like \"Positive\""));
}

TEST_F(Labels, ThatDifferAreNotSaid) {
  EXPECT_THAT(said_of("positive", "negative"), IsEmpty());
  EXPECT_THAT(said_of("class 1", "class 2"), IsEmpty());
  EXPECT_THAT(said_of("A", "a"), IsEmpty());  // classes of letters
  EXPECT_THAT(said_of("\u043a\u043e\u0442", "\u043a\u0438\u0442"), IsEmpty());
  EXPECT_THAT(said_of("spam", "spam"), IsEmpty());
}

TEST_F(Labels, OfAModelAreAsItHasThem) {
  LabelSet set({"Positive", "positive"});
  add(set, "positive");
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_EQ(set.index_of("POSITIVE", [](const std::string&) {}), std::nullopt);
  EXPECT_THROW(LabelSet({"a b", "a\u00a0b"}), UsageError);
}

}  // namespace
}  // namespace heed::data
