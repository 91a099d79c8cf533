// Measures of texts on values worked out by hand; tests/python/test_metrics.py compares thousands
// of lines with the packages whose numbers these are.
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/metrics/answers.h"
#include "heed/metrics/bleu.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/entities.h"
#include "heed/metrics/language.h"
#include "heed/metrics/rouge.h"

namespace heed::metrics {
namespace {

using List = std::vector<std::string>;

TEST(Bleu, ByHand) {
  Bleu bleu({.tokens = BleuTokens::kNone});
  bleu.add("a b c d e", std::string("a b c d f g"));
  // precisions 4/5, 3/4, 2/3, 1/2, and one word too few
  const BleuScore score = bleu.score();
  EXPECT_NEAR(score.score, 100 * std::exp(1 - 6. / 5) * std::pow(0.8 * 0.75 * 2 / 3 * 0.5, 0.25),
              1e-9);
  EXPECT_EQ(score.words, 5);
  EXPECT_EQ(score.reference_words, 6);
  EXPECT_NEAR(score.precisions[2], 200. / 3, 1e-9);
  EXPECT_EQ(Bleu().score().score, 0);
  EXPECT_THROW(bleu.add("a", List{}), UsageError);
}

TEST(Bleu, Tokens) {
  EXPECT_EQ(bleu_tokenize("He said: \"1,000.5 &amp; more-so.\" ", BleuTokens::k13a),
            "He said : \" 1,000.5 & more-so . \"");
  EXPECT_EQ(bleu_tokenize("19-20 x-y", BleuTokens::k13a), "19 - 20 x-y");
  EXPECT_EQ(bleu_tokenize("ab é", BleuTokens::kChar), "a b é");
  EXPECT_EQ(bleu_tokenize("«Ça», 1,5€", BleuTokens::kIntl), "« Ça » , 1,5 €");
  EXPECT_THROW(bleu_tokens_named("zh"), UsageError);
}

TEST(Chrf, ByHand) {
  Chrf chrf({.character_order = 2, .beta = 1});
  chrf.add("ab c", std::string("abd"));
  // characters 2/3 of both, pairs 1/2 of both
  EXPECT_NEAR(chrf.score(), 100 * (2. / 3 + 1. / 2) / 2, 1e-9);
  Chrf same({.word_order = 2});
  same.add("Dies ist gleich.", std::string("Dies ist gleich."));
  EXPECT_NEAR(same.score(), 100, 1e-9);
  EXPECT_EQ(Chrf().score(), 0);
  EXPECT_THROW(Chrf({.character_order = 0}), UsageError);
}

TEST(Rouge, ByHand) {
  const RougeScores scores = rouge("The cat, sat. on", std::string_view("the cat on the mat"));
  EXPECT_NEAR(scores.rouge1.precision, 3. / 4, 1e-12);
  EXPECT_NEAR(scores.rouge1.recall, 3. / 5, 1e-12);
  EXPECT_NEAR(scores.rouge2.f1, 2 * (1. / 3) * (1. / 4) / (1. / 3 + 1. / 4), 1e-12);
  EXPECT_NEAR(scores.rouge_l.recall, 3. / 5, 1e-12);
  EXPECT_EQ(rouge("", std::string_view("a")).rouge_l.f1, 0);
}

TEST(AnswerScores, Normalised) {
  EXPECT_EQ(normalized_answer("The  Eiffel-Tower, a TOWER!"), "eiffeltower tower");
  const List right = {"the Tower", "Paris"};
  EXPECT_EQ(answer_score("a tower", right).exact, 1);
  EXPECT_NEAR(answer_score("big tower", right).f1, 2. / 3, 1e-12);
  EXPECT_EQ(answer_score("", List{""}).f1, 1);
  AnswerScores all;
  all.add("paris", right);
  all.add("rome", right);
  EXPECT_EQ(all.mean().exact, 0.5);
}

TEST(EntityCounts, DefaultAndStrict) {
  const List actual = {"B-X", "I-X", "O", "B-Y"};
  const List predicted = {"B-X", "I-X", "O", "I-Y"};
  EntityCounts counts;
  counts.add(actual, predicted);
  EXPECT_EQ(counts.micro().f1, 1);
  EntityCounts strict(text::TagScheme::kBio);
  strict.add(actual, predicted);
  EXPECT_EQ(strict.micro().precision, 1);
  EXPECT_EQ(strict.micro().recall, 0.5);
  EXPECT_EQ(strict.types(), (List{"X", "Y"}));
  EXPECT_THROW(counts.add(actual, List{"O"}), UsageError);
}

TEST(LanguageLoss, Units) {
  LanguageLoss loss = {.nats = 2 * std::log(8.), .tokens = 2, .bytes = 3};
  EXPECT_NEAR(perplexity(loss), 8, 1e-12);
  EXPECT_NEAR(bits_per_byte(loss), 2, 1e-12);
  loss += {.nats = 0, .tokens = 2, .bytes = 3};
  EXPECT_NEAR(bits_per_byte(loss), 1, 1e-12);
  EXPECT_THROW(perplexity({}), UsageError);
}

}  // namespace
}  // namespace heed::metrics
