#include "heed/text/words/entity_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "heed/base/error.h"

namespace heed::text {
namespace {

using Tags = std::vector<std::string>;

TEST(EntityTags, TheSchemesOfTheHeader) {
  const std::vector<Entity> entities = {{"PER", 0, 2}, {"LOC", 3, 4}, {"LOC", 4, 5}};
  const Tags iob1 = {"I-PER", "I-PER", "O", "I-LOC", "B-LOC"};
  const Tags bio = {"B-PER", "I-PER", "O", "B-LOC", "B-LOC"};
  const Tags bioes = {"B-PER", "E-PER", "O", "S-LOC", "S-LOC"};
  EXPECT_EQ(tags_of(entities, 5, TagScheme::kIob1), iob1);
  EXPECT_EQ(tags_of(entities, 5, TagScheme::kBio), bio);
  EXPECT_EQ(tags_of(entities, 5, TagScheme::kBioes), bioes);
  for (const auto& [tags, scheme] :
       {std::pair(iob1, TagScheme::kIob1), {bio, TagScheme::kBio}, {bioes, TagScheme::kBioes}}) {
    EXPECT_EQ(entities_of(tags), entities) << name_of(scheme);
    EXPECT_EQ(strict_entities_of(tags, scheme), entities) << name_of(scheme);
    EXPECT_FALSE(first_tag_fault(tags, scheme)) << name_of(scheme);
    EXPECT_EQ(tag_scheme_named(name_of(scheme)), scheme);
  }
  EXPECT_THROW(tag_scheme_named("bilou"), UsageError);
}

TEST(EntityTags, RandomEntitiesSurviveEveryConversion) {
  std::mt19937 random(1);
  const TagScheme schemes[] = {TagScheme::kIob1, TagScheme::kBio, TagScheme::kBioes};
  for (int round = 0; round < 500; ++round) {
    std::vector<Entity> entities;
    int64_t at = 0;
    while (at < 12) {
      const auto begin = at + static_cast<int64_t>(random() % 3);
      const auto end = begin + 1 + static_cast<int64_t>(random() % 3);
      if (end > 12) break;
      entities.push_back({random() % 2 ? "A" : "B-x", begin, end});
      at = end;
    }
    for (const TagScheme from : schemes) {
      const Tags tags = tags_of(entities, 12, from);
      ASSERT_FALSE(first_tag_fault(tags, from));
      for (const TagScheme to : schemes) {
        ASSERT_EQ(entities_of(convert_tags(tags, from, to)), entities);
      }
    }
  }
}

TEST(EntityTags, FaultsAreNamed) {
  struct Case {
    Tags tags;
    TagScheme scheme;
    size_t position;
    std::string reason;
  };
  const Case cases[] = {
      {{"O", "I-PER"}, TagScheme::kBio, 1, "expected B-PER or I-PER before it, found \"I-PER\""},
      {{"B-LOC", "I-PER"}, TagScheme::kBio, 1, "expected B-PER or I-PER before it"},
      {{"B-PER"}, TagScheme::kIob1, 0, "expected I-PER: B- is only for"},
      {{"B-PER", "O"}, TagScheme::kBioes, 1, "expected I-PER or E-PER behind B-PER"},
      {{"O", "B-PER"}, TagScheme::kBioes, 1, "found the end of the sentence"},
      {{"E-PER"}, TagScheme::kBioes, 0, "expected B-PER or I-PER before it"},
      {{"S-PER"}, TagScheme::kBio, 0, "expected O, B-TYPE or I-TYPE, found \"S-PER\""},
      {{"B"}, TagScheme::kBio, 0, "expected O, B-TYPE or I-TYPE"},
      {{"B-"}, TagScheme::kBio, 0, "expected O, B-TYPE or I-TYPE"},
      {{"O-PER"}, TagScheme::kBio, 0, "expected O, B-TYPE or I-TYPE"},
      {{""}, TagScheme::kBio, 0, "expected O, B-TYPE or I-TYPE"},
  };
  for (const Case& each : cases) {
    const auto fault = first_tag_fault(each.tags, each.scheme);
    ASSERT_TRUE(fault) << each.reason;
    EXPECT_EQ(fault->position, each.position) << each.reason;
    EXPECT_THAT(fault->reason, testing::HasSubstr(each.reason));
  }
  EXPECT_THROW(convert_tags(Tags{"I-PER"}, TagScheme::kBio, TagScheme::kBioes), DataError);
  EXPECT_THROW(strict_entities_of(Tags{"S-PER"}, TagScheme::kBio), DataError);
  EXPECT_THROW(tags_of(std::vector<Entity>{{"A", 0, 2}, {"A", 1, 3}}, 3, TagScheme::kBio),
               UsageError);
  EXPECT_THROW(tags_of(std::vector<Entity>{{"A", 0, 4}}, 3, TagScheme::kBio), UsageError);
}

// What may follow what says of two tags the same as the check of a whole sentence.
TEST(EntityTags, MayFollowIsTheCheckOfPairs) {
  const std::vector<std::string> types = {"A-1", "B"};
  for (const TagScheme scheme : {TagScheme::kBio, TagScheme::kBioes}) {
    for (const std::string& first : all_tags(types, scheme)) {
      for (const std::string& second : all_tags(types, scheme)) {
        const bool allowed = may_follow("O", first, scheme) && may_follow(first, second, scheme) &&
                             may_follow(second, "O", scheme);
        EXPECT_EQ(allowed, !first_tag_fault(Tags{first, second}, scheme)) << first << ' ' << second;
      }
    }
  }
}

TEST(EntityTags, AllTagsOfSomeTypes) {
  const std::vector<std::string> types = {"LOC", "PER"};
  EXPECT_EQ(all_tags(types, TagScheme::kBio), (Tags{"O", "B-LOC", "I-LOC", "B-PER", "I-PER"}));
  EXPECT_EQ(all_tags(types, TagScheme::kBioes).size(), 9u);
}

TEST(EntityTags, EachSchemeHasItsLetters) {
  for (const char* tag : {"O", "B-PER", "I-a-b"}) {
    for (const TagScheme scheme : {TagScheme::kIob1, TagScheme::kBio, TagScheme::kBioes}) {
      EXPECT_TRUE(is_tag(tag, scheme)) << tag;
    }
  }
  for (const char* tag : {"E-PER", "S-PER"}) {
    EXPECT_TRUE(is_tag(tag, TagScheme::kBioes)) << tag;
    EXPECT_FALSE(is_tag(tag, TagScheme::kBio)) << tag;
  }
  for (const char* tag : {"", "B", "B-", "BPER", "O-PER", "PER", "b-PER"}) {
    EXPECT_FALSE(is_tag(tag, TagScheme::kBioes)) << tag;
  }
}

}  // namespace
}  // namespace heed::text
