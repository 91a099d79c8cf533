// Every score × pattern × modifier, in both fused dtypes, forward and backward.
// ctest-timeout: 900
#include <cctype>
#include <set>
#include <string>

#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

constexpr int64_t kLengths[] = {1, 7, 17, 33, 65, 130};
constexpr int64_t kHeadSizes[][2] = {{16, 16}, {7, 33}, {32, 8}, {24, 40}, {64, 64}};

// Numbers that look random and are the same everywhere, for the choice of what is not enumerated.
struct Choice {
  uint64_t state = 1;
  int64_t below(int64_t count) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(count));
  }
};

Case chosen_case(Choice& choice, const ScoreCase& score, size_t pattern, size_t modifier) {
  Case one{.score = &score, .modifier = modifiers()[modifier]};
  // Lengths walk through all of the list, whatever else is chosen.
  const int64_t walk = choice.below(36);
  const int64_t queries = kLengths[walk % 6];
  const int64_t keys = choice.below(3) == 0 ? kLengths[walk / 6] : queries;
  const auto* head = kHeadSizes[choice.below(std::size(kHeadSizes))];
  one.sizes = {.key_heads = choice.below(2) == 0 ? 4 : 2,
               .queries = queries,
               .keys = keys,
               .size = head[0],
               .value_size = head[1]};
  one.dropout = choice.below(3) == 0 ? 0.3 : 0;
  one.bias_shape = static_cast<int>(choice.below(5));
  one.pattern = patterns()[pattern].make(one.sizes);
  one.pattern_name = patterns()[pattern].name;
  return one;
}

void run_all(at::ScalarType type, const std::string& name) {
  const ScoreCase& score = score_named(name);
  Choice choice{.state = 11 + static_cast<uint64_t>(&score - scores().data())};
  for (size_t pattern = 0; pattern < patterns().size(); ++pattern) {
    for (size_t modifier = 0; modifier < modifiers().size(); ++modifier) {
      at::manual_seed(static_cast<uint64_t>(100 * pattern + modifier));
      Case one = chosen_case(choice, score, pattern, modifier);
      one.type = type;
      const auto in = random_inputs(one);
      const auto upstream = random_upstream(one);
      expect_rule(one, in, upstream, fused_of(one, in, upstream));
    }
  }
}

TEST(ConformanceDot, Float32) { run_all(at::kFloat, "dot"); }
TEST(ConformanceDot, BFloat16) { run_all(at::kBFloat16, "dot"); }
TEST(ConformanceScaledDot, Float32) { run_all(at::kFloat, "scaled_dot"); }
TEST(ConformanceScaledDot, BFloat16) { run_all(at::kBFloat16, "scaled_dot"); }
TEST(ConformanceCosine, Float32) { run_all(at::kFloat, "cosine"); }
TEST(ConformanceCosine, BFloat16) { run_all(at::kBFloat16, "cosine"); }
TEST(ConformanceAdditive, Float32) { run_all(at::kFloat, "additive"); }
TEST(ConformanceAdditive, BFloat16) { run_all(at::kBFloat16, "additive"); }
TEST(ConformanceLeaky, Float32) { run_all(at::kFloat, "leaky"); }
TEST(ConformanceLeaky, BFloat16) { run_all(at::kBFloat16, "leaky"); }

// All pairs of lengths, with what is most likely to go wrong at edges.
TEST(ConformanceLengths, AllPairs) {
  for (const int64_t queries : kLengths) {
    for (const int64_t keys : kLengths) {
      for (const auto type : {at::kFloat, at::kBFloat16}) {
        Case one{.score = &score_named("scaled_dot"),
                 .pattern = Pattern::causal(),
                 .pattern_name = "causal",
                 .modifier = modifiers()[0],
                 .type = type};
        one.sizes = {.batch = 1, .heads = 2, .key_heads = 1, .queries = queries, .keys = keys};
        at::manual_seed(static_cast<uint64_t>(queries * 1000 + keys));
        const auto in = random_inputs(one);
        const auto upstream = random_upstream(one);
        expect_rule(one, in, upstream, fused_of(one, in, upstream));
      }
    }
  }
}

// Patterns under which no pair that is near counts: whole blocks lie beyond the reach of a relative
// table, on either side.
const std::vector<PatternCase>& far_patterns() {
  static const auto distances = [](const Sizes& n) {
    return at::arange(n.keys).unsqueeze(0) - at::arange(n.queries).unsqueeze(1);
  };
  static const std::vector<PatternCase> list = {
      {"full", [](const Sizes&) { return Pattern::full(); }},
      {"far", [](const Sizes& n) { return Pattern::from_mask(distances(n).abs() > 150); }},
      {"far ahead", [](const Sizes& n) { return Pattern::from_mask(distances(n) > 40); }},
      {"far behind", [](const Sizes& n) { return Pattern::from_mask(distances(n) < -40); }},
      {"crossed sequences",
       [](const Sizes& n) {
         return Pattern::packed({.query = longs({0, n.queries / 4, n.queries}),
                                 .key = longs({0, n.keys - n.keys / 8, n.keys})});
       }},
  };
  return list;
}

// Lengths far apart and of several blocks.
constexpr int64_t kFarLengths[][2] = {{1, 1000}, {7, 700}, {300, 5}, {130, 900}, {520, 520}};

void run_far(const std::string& name) {
  const ScoreCase& score = score_named(name);
  // Plain torch makes a tensor (Nq, Nk, D) of a score that learns for each element.
  const bool is_wide = score_kind(name).parameter == ScoreKind::Parameter::kPerHeadAndSize;
  size_t turn = 0;
  for (const auto& modifier : modifiers()) {
    for (const auto& lengths : kFarLengths) {
      for (const auto& pattern : far_patterns()) {
        // Every other case in bfloat16, an odd number of them for each pair of lengths.
        Case one{.score = &score,
                 .pattern_name = pattern.name,
                 .modifier = modifier,
                 .dropout = turn % 3 == 0 ? 0.3 : 0,
                 .type = turn % 2 == 0 ? at::kFloat : at::kBFloat16,
                 .bias_shape = static_cast<int>(turn % 5)};
        // The rule compares largest errors: of the two rows of a single query plain torch may be
        // right to the last bit by luck, so there are more of them.
        one.sizes = {.batch = is_wide && lengths[0] == 1 ? 8 : 1,
                     .heads = 2,
                     .key_heads = 1,
                     .queries = lengths[0],
                     .keys = lengths[1],
                     .size = is_wide ? 6 : 20,
                     .value_size = 12};
        at::manual_seed(turn++);
        one.pattern = pattern.make(one.sizes);
        const auto in = random_inputs(one);
        const auto upstream = random_upstream(one);
        expect_rule(one, in, upstream, fused_of(one, in, upstream));
      }
    }
  }
}

TEST(ConformanceFar, Dot) { run_far("dot"); }
TEST(ConformanceFar, ScaledDot) { run_far("scaled_dot"); }
TEST(ConformanceFar, Cosine) { run_far("cosine"); }
TEST(ConformanceFar, Additive) { run_far("additive"); }
TEST(ConformanceFar, Leaky) { run_far("leaky"); }

// "scaled_dot" -> "ScaledDot"
std::string in_a_test_name(const std::string& name) {
  std::string text;
  bool begins = true;
  for (const char c : name) {
    if (c != '_') text += begins ? static_cast<char>(std::toupper(c)) : c;
    begins = c == '_';
  }
  return text;
}

TEST(ConformanceScores, EachHasItsCaseAndItsTests) {
  std::set<std::string> tests;
  const auto& program = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < program.total_test_suite_count(); ++i) {
    const auto& suite = *program.GetTestSuite(i);
    for (int k = 0; k < suite.total_test_count(); ++k) {
      tests.insert(std::string(suite.name()) + "." + suite.GetTestInfo(k)->name());
    }
  }
  for (const std::string& score : score_names()) {
    EXPECT_NO_THROW(score_named(score));
    const std::string name = in_a_test_name(score);
    EXPECT_TRUE(tests.contains("Conformance" + name + ".Float32")) << name;
    EXPECT_TRUE(tests.contains("Conformance" + name + ".BFloat16")) << name;
    EXPECT_TRUE(tests.contains("ConformanceFar." + name)) << name;
  }
}

// float64 goes through the operators to attention_math and back.
TEST(ConformanceDouble, OperatorsGiveTheMath) {
  for (const auto& score : scores()) {
    for (const auto& pattern : patterns()) {
      Case one{.score = &score,
               .pattern_name = pattern.name,
               .modifier = modifiers().back(),
               .dropout = 0.2,
               .type = at::kDouble};
      one.sizes = {.key_heads = 2, .queries = 9, .keys = 13};
      at::manual_seed(5);
      one.pattern = pattern.make(one.sizes);
      const auto in = random_inputs(one);
      const auto upstream = random_upstream(one);
      const auto fused = fused_of(one, in, upstream);
      const auto truth = truth_of(one, in, upstream);
      for (size_t i = 0; i < truth.size(); ++i) {
        EXPECT_LE(error_of(fused[i].tensor, truth[i].tensor), 1e-12)
            << truth[i].name << " of " << one.text();
      }
    }
  }
}

}  // namespace
}  // namespace heed::conformance
