#include "heed/ops/pattern.h"

#include <limits>

#include "heed/base/error.h"
#include "heed/kernels/attention/patterns/pattern.h"
#include "heed/ops/attention/pattern_node.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

const Sizes kSizes = {.queries = 37, .keys = 83};

Pattern::Sizes pattern_sizes(const Sizes& n) {
  return {.batch = n.batch, .heads = n.heads, .queries = n.queries, .keys = n.keys};
}

// The bits that the kernels see, as a tensor (B, H, Nq, Nk).
at::Tensor bits_of(const Pattern& pattern, const Sizes& n) {
  auto result = at::ones({n.batch, n.heads, n.queries, n.keys}, at::kBool);
  const auto kernel = pattern.kernel(pattern_sizes(n));
  if (!kernel) return result;
  auto out = result.accessor<bool, 4>();
  std::vector<uint64_t> columns(n.keys);
  for (int64_t b = 0; b < n.batch; ++b) {
    for (int64_t h = 0; h < n.heads; ++h) {
      for (int64_t i = 0; i < n.queries; ++i) {
        kernel->allowed(b, h, {i, i + 1}, {0, n.keys}, columns.data());
        for (int64_t j = 0; j < n.keys; ++j) out[b][h][i][j] = columns[j] != 0;
      }
    }
  }
  return result;
}

at::Tensor mask_of(const Pattern& pattern, const Sizes& n) {
  const auto mask = pattern.mask(pattern_sizes(n), at::kCPU);
  const auto shape = {n.batch, n.heads, n.queries, n.keys};
  return mask.defined() ? mask.expand(shape) : at::ones(shape, at::kBool);
}

TEST(PatternValue, KernelsAndTensorsAgree) {
  for (const Sizes& n :
       {kSizes, Sizes{.queries = 70, .keys = 70}, Sizes{.queries = 90, .keys = 9}}) {
    for (const auto& one : patterns()) {
      at::manual_seed(1);
      const Pattern pattern = one.make(n);
      EXPECT_TRUE(at::equal(bits_of(pattern, n), mask_of(pattern, n))) << one.name;
    }
  }
}

TEST(PatternValue, EveryKindIsInTheConformanceList) {
  std::string all;
  for (const auto& one : patterns()) all += one.make(kSizes).parts().expression + " ";
  for (const auto& known : pattern_names()) {
    const std::string& name = known.text;
    if (name == "window_top_left" || name == "dilated_top_left") continue;  // as causal_top_left
    EXPECT_NE(all.find(name), std::string::npos) << name;
  }
}

TEST(PatternValue, ThereAndBackThroughParts) {
  for (const auto& one : patterns()) {
    for (const auto& other : patterns()) {
      const Pattern pattern = (one.make(kSizes) & Pattern::causal()) | other.make(kSizes);
      const Pattern again = Pattern::from_parts(pattern.parts());
      EXPECT_EQ(again.description(), pattern.description());
      EXPECT_EQ(again.parts().expression, pattern.parts().expression);
      EXPECT_TRUE(at::equal(mask_of(again, kSizes), mask_of(pattern, kSizes)))
          << pattern.description();
    }
  }
}

TEST(PatternValue, ReadsAsPeopleSayIt) {
  const Pattern window = Pattern::window({.left = 4, .right = 0});
  EXPECT_EQ(Pattern::full().description(), "full");
  EXPECT_EQ((Pattern::causal() & window).description(), "causal & window(left 4, right 0)");
  EXPECT_EQ((Pattern::causal() & (window | Pattern::global_tokens(2))).description(),
            "causal & (window(left 4, right 0) | global_tokens(count 2))");
  EXPECT_EQ(Pattern::padded({.key = longs({3, 4})}).description(), "padded(key_lengths [2])");
}

TEST(PatternValue, FullIsNeutral) {
  EXPECT_EQ((Pattern::full() & Pattern::causal()).description(), "causal");
  EXPECT_EQ((Pattern::causal() & Pattern::full()).description(), "causal");
  EXPECT_TRUE((Pattern::full() | Pattern::causal()).is_full());
  EXPECT_EQ(Pattern::full().kernel({}), nullptr);
}

TEST(PatternValue, TopLeftStartsAtZero) {
  const Sizes n{.batch = 1, .heads = 1, .queries = 2, .keys = 5};
  const auto row = [&](const Pattern& pattern) {
    return mask_of(pattern, n).index({0, 0, 0}).to(at::kLong);
  };
  const auto window = [](Alignment alignment) {
    return Pattern::window({.left = 1, .right = 1, .alignment = alignment});
  };
  EXPECT_TRUE(at::equal(row(Pattern::causal()), longs({1, 1, 1, 1, 0})));
  EXPECT_TRUE(at::equal(row(Pattern::causal(Alignment::kTopLeft)), longs({1, 0, 0, 0, 0})));
  EXPECT_TRUE(at::equal(row(window(Alignment::kBottomRight)), longs({0, 0, 1, 1, 1})));
  EXPECT_TRUE(at::equal(row(window(Alignment::kTopLeft)), longs({1, 1, 0, 0, 0})));
  EXPECT_TRUE(
      at::equal(row(Pattern::dilated(
                    {.left = 0, .right = 2, .dilation = 2, .alignment = Alignment::kTopLeft})),
                longs({1, 0, 1, 0, 1})));
}

TEST(PatternValue, TorchsPaddingMaskIsTheOtherWayRound) {
  const auto ignored = at::tensor({0, 0, 1}, at::kLong).to(at::kBool).unsqueeze(0);
  const auto mask = Pattern::from_torch_padding_mask(ignored).mask(
      {.batch = 1, .heads = 1, .queries = 1, .keys = 3}, at::kCPU);
  EXPECT_TRUE(at::equal(mask.flatten().to(at::kLong), longs({1, 1, 0})));
}

// The text of the UsageError that `call` throws.
std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(PatternValue, JoinsHaveALimit) {
  Pattern deep = Pattern::causal();
  for (int i = 0; i < Pattern::kMostNested; ++i) deep = deep | Pattern::global_tokens(1);
  EXPECT_FALSE(deep.description().empty());
  EXPECT_EQ(Pattern::from_parts(deep.parts()).description(), deep.description());
  EXPECT_THROW(deep | Pattern::causal(), UsageError);
  EXPECT_THROW(Pattern::causal() & deep, UsageError);
}

// A byte of a table of bool may hold any number; all but 0 are true.
TEST(PatternValue, EveryByteBut0IsTrue) {
  const auto bytes = at::tensor({0, 1, 2, 255, 0, 128}, at::kByte).view({2, 3});
  const auto strange = bytes.view(at::kBool);
  const auto plain = bytes != 0;
  const Sizes n{.batch = 1, .heads = 1, .key_heads = 1, .queries = 2, .keys = 3};
  for (const Pattern& pattern :
       {Pattern::from_mask(strange),
        Pattern::block_sparse({.allowed = strange, .query_block = 1, .key_block = 1})}) {
    EXPECT_TRUE(at::equal(bits_of(pattern, n)[0][0], plain)) << pattern.description();
    EXPECT_TRUE(at::equal(mask_of(pattern, n)[0][0], plain)) << pattern.description();
  }
  const Sizes two{.batch = 2, .heads = 1, .key_heads = 1, .queries = 1, .keys = 3};
  const auto padding = Pattern::from_torch_padding_mask(strange);
  EXPECT_TRUE(at::equal(bits_of(padding, two).view({2, 3}), bytes == 0));
}

TEST(PatternValue, NumbersHaveALimit) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  const auto one = at::ones({1, 1}, at::kBool);
  EXPECT_THROW(Pattern::block_sparse({.allowed = one, .query_block = kHuge, .key_block = kHuge}),
               UsageError);
  EXPECT_THROW(Pattern::window({.left = kHuge, .right = 0}), UsageError);
  const auto large = Pattern::block_sparse({.allowed = one,
                                            .query_block = Pattern::kLargestNumber,
                                            .key_block = Pattern::kLargestNumber});
  EXPECT_TRUE(mask_of(large, kSizes).all().item<bool>());
  EXPECT_TRUE(bits_of(large, kSizes).all().item<bool>());
}

TEST(PatternValue, MistakesAreNamed) {
  const Pattern::Sizes n{.batch = 2, .heads = 4, .queries = 3, .keys = 5};
  const auto kernel = [&](const Pattern& pattern) { return message([&] { pattern.kernel(n); }); };
  EXPECT_EQ(
      message([] { Pattern::window({.left = -2, .right = 0}); }),
      "pattern: window with left -2 and right 0: each must be 0 or more, or −1 for unlimited");
  EXPECT_EQ(message([] { Pattern::padded({.key = at::zeros({2})}); }),
            "pattern: lengths, offsets and columns must be tensors of integers with one dimension, "
            "got Float of shape [2]");
  EXPECT_EQ(kernel(Pattern::padded({.key = longs({5})})),
            "pattern padded: expected one key length for each of the 2 batches, got 1");
  EXPECT_EQ(kernel(Pattern::padded({.key = longs({5, 6})})),
            "pattern padded: a key length of 6: expected 0 to 5");
  EXPECT_EQ(kernel(Pattern::packed({.query = longs({0, 2, 1})})),
            "pattern packed (queries): offset 2 (1) is below the one before it (2)");
  EXPECT_EQ(kernel(Pattern::packed({.query = longs({0, 4})})),
            "pattern packed (queries): the last offset is 4, but there are only 3");
  EXPECT_EQ(
      kernel(Pattern::graph({.offsets = longs({0, 1, 2, 4}), .columns = longs({0, 1, 3, 3})})),
      "pattern graph: the columns of query 2 must ascend and lie between 0 and 4, got 3 after "
      "3");
  EXPECT_EQ(kernel(Pattern::graph({.offsets = longs({0, 1, 2, 3}), .columns = longs({0, 1, 5})})),
            "pattern graph: the columns of query 2 must ascend and lie between 0 and 4, got 5");
  EXPECT_EQ(kernel(Pattern::graph({.offsets = longs({0, 1}), .columns = longs({0})})),
            "pattern graph: expected Nq + 1 = 4 offsets, got 2");
  EXPECT_EQ(
      kernel(Pattern::from_mask(at::ones({2, 5}, at::kBool))),
      "pattern mask: expected a tensor of bool (2 or 1, 4 or 1, 3 or 1, 5), got [1, 1, 2, 5]");
  EXPECT_EQ(message([] {
              Pattern::from_mask(at::ones({2, 5}));
            }),
            "pattern: a mask must be a tensor of bool with at most four dimensions, true = may "
            "attend, got Float of shape [2, 5]");
  EXPECT_EQ(
      message([] { Pattern::from_parts({.expression = "and(causal"}); }),
      "pattern 'and(causal': no bracket or comma at ''; expected a name, and(…,…) or or(…,…)");
  EXPECT_EQ(message([] { Pattern::from_parts({.expression = "window", .numbers = {1}}); }),
            "pattern 'window': too few tensors (0) or numbers (1); 'window' alone takes 0 and 2");
  EXPECT_NE(message([] {
              Pattern::from_parts({.expression = "no"});
            }).find("pattern: there is no 'no'; expected one of full, causal"),
            std::string::npos);
}

}  // namespace
}  // namespace heed::conformance
