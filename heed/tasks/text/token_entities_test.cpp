#include "heed/tasks/text/token_entities.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

const std::vector<std::string> kPieceLabels = {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"};

// A piece of two bytes at this place of the text, which is that sure of one label.
TaggedPiece tagged_piece(uint32_t place, size_t label, bool continues = false, double sure = 0.6) {
  std::vector<double> shares(kPieceLabels.size(), (1 - sure) / 4);
  shares[label] = sure;
  return {.probabilities = shares, .span = {2 * place, 2 * place + 2}, .continues = continues};
}

// "type begin end probability", in hundredths.
std::vector<std::string> found_by(const std::vector<TaggedPiece>& pieces, const char* strategy) {
  std::vector<std::string> all;
  for (const TokenEntity& each : aggregated(pieces, kPieceLabels, aggregation_from(strategy))) {
    all.push_back(text_of(each.type, ' ', each.span.begin, ' ', each.span.end, ' ',
                          static_cast<int>(each.probability * 100 + 0.5)));
  }
  return all;
}

using Found = std::vector<std::string>;

TEST(TokenEntities, EachPieceForItself) {
  EXPECT_EQ(found_by({tagged_piece(0, 1), tagged_piece(1, 0), tagged_piece(2, 4, true)}, "none"),
            (Found{"B-PER 0 2 60", "I-LOC 4 6 60"}));
  EXPECT_EQ(found_by({}, "none"), Found());
}

// (A, B-T) (B, I-T) (C, I-T) (D, B-T2) (E, B-T2) are ABC, D and E.
TEST(TokenEntities, BeginAtABAndAtAnotherType) {
  EXPECT_EQ(found_by({tagged_piece(0, 1), tagged_piece(1, 2), tagged_piece(2, 2, false, 0.9),
                      tagged_piece(3, 3), tagged_piece(4, 3), tagged_piece(5, 2)},
                     "simple"),
            (Found{"PER 0 6 70", "LOC 6 8 60", "LOC 8 10 60", "PER 10 12 60"}));
  EXPECT_EQ(found_by({tagged_piece(0, 2), tagged_piece(1, 0), tagged_piece(2, 2)}, "simple"),
            (Found{"PER 0 2 60", "PER 4 6 60"}));
}

// A word of three pieces: the first says a person, the second is sure of a place, the third agrees
// with it a little.
TEST(TokenEntities, WordsHaveOneLabel) {
  const std::vector<TaggedPiece> pieces = {tagged_piece(0, 1), tagged_piece(1, 3, true, 0.8),
                                           tagged_piece(2, 3, true, 0.4), tagged_piece(3, 4)};
  EXPECT_EQ(found_by(pieces, "first"), (Found{"PER 0 6 60", "LOC 6 8 60"}));
  EXPECT_EQ(found_by(pieces, "max"), (Found{"LOC 0 8 70"}));  // (0.8 + 0.6) / 2
  EXPECT_EQ(found_by(pieces, "average"),
            (Found{"LOC 0 8 52"}));  // ((0.1 + 0.8 + 0.4) / 3 + 0.6) / 2
  EXPECT_EQ(found_by(pieces, "simple"),
            (Found{"PER 0 2 60", "LOC 2 4 80", "LOC 4 8 50"}));  // B- begins one
}

TEST(TokenEntities, LabelsWithoutLettersAreTypes) {
  const std::vector<std::string> labels = {"O", "NOUN", "S-X"};
  const auto one = [](uint32_t place, std::vector<double> shares) -> TaggedPiece {
    return {.probabilities = std::move(shares), .span = {place, place + 1}};
  };
  const auto found = aggregated({one(0, {0, 1, 0}), one(1, {0, 1, 0}), one(2, {0, 0, 1})}, labels,
                                Aggregation::kSimple);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].type, "NOUN");
  EXPECT_EQ(found[0].span, (text::Span{0, 2}));
  EXPECT_EQ(found[1].type, "X");
}

TEST(TokenEntities, OtherStrategiesAreRefused) {
  EXPECT_THROW(aggregation_from("last"), UsageError);
}

}  // namespace
}  // namespace heed::tasks
