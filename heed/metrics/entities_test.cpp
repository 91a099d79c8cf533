// tests/python/testdata/entities.json, written by tools/metric_oracles.py, has what seqeval says.
// Here are all of its cases; tests/python/test_metrics.py has the longest of them read by
// `heed score ner`.
#include "heed/metrics/entities.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/json.h"

namespace heed::metrics {
namespace {

// "O B-X|B-Y": a sentence between bars, a tag between blanks.
std::vector<std::vector<std::string>> sentences_of_tags(const std::string& joined) {
  std::vector<std::vector<std::string>> sentences = {{""}};
  for (const char c : joined) {
    if (c == '|') {
      sentences.push_back({""});
    } else if (c == ' ') {
      sentences.back().emplace_back();
    } else {
      sentences.back().back() += c;
    }
  }
  return sentences;
}

void expect_scores(const PrecisionRecall& ours, const JsonValue& theirs) {
  constexpr double kNear = 1e-9;  // both sides work in double precision
  EXPECT_NEAR(ours.precision, theirs.at("precision").number(), kNear);
  EXPECT_NEAR(ours.recall, theirs.at("recall").number(), kNear);
  EXPECT_NEAR(ours.f1, theirs.at("f1").number(), kNear);
  EXPECT_EQ(ours.support, theirs.at("support").integer());
}

TEST(EntityScores, AreWhatSeqevalSays) {
  const JsonValue cases =
      read_json("tests/python/testdata/entities.json", {.max_bytes = 1 << 22}).at("cases");
  ASSERT_GE(cases.array_size(), 50u);
  for (size_t i = 0; i < cases.array_size(); ++i) {
    SCOPED_TRACE(text_of("case ", i));
    const JsonValue drawn = cases.at(i);
    const std::string& scheme = drawn.at("scheme").string();
    std::optional<text::TagScheme> strict;
    if (scheme != "none") strict = text::tag_scheme_named(scheme);
    const auto actual = sentences_of_tags(drawn.at("actual").string());
    const auto predicted = sentences_of_tags(drawn.at("predicted").string());
    ASSERT_EQ(actual.size(), predicted.size());
    EntityCounts counts(strict);
    for (size_t k = 0; k < actual.size(); ++k) counts.add(actual[k], predicted[k]);

    const JsonValue report = drawn.at("report");
    expect_scores(counts.micro(), report.at("micro avg"));
    expect_scores(counts.macro(), report.at("macro avg"));
    expect_scores(counts.weighted(), report.at("weighted avg"));
    const std::vector<std::string> types = counts.types();
    const std::vector<PrecisionRecall> scores = counts.per_type();
    EXPECT_EQ(types.size() + 3, report.json().size());
    ASSERT_EQ(types.size(), scores.size());
    for (size_t k = 0; k < types.size(); ++k) {
      SCOPED_TRACE(types[k]);
      ASSERT_TRUE(report.has(types[k]));
      expect_scores(scores[k], report.at(types[k]));
    }
  }
}

}  // namespace
}  // namespace heed::metrics
