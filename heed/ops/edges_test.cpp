// What lies at the edges: rows without keys, huge scores, NaN and infinity, nothing at all, odd
// strides, the same tensor three times; and the same bits whatever the number of threads.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "heed/base/error.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

using at::indexing::Slice;

constexpr at::ScalarType kFusedTypes[] = {at::kFloat, at::kBFloat16};

Case simple_case(at::ScalarType type, const Sizes& sizes, const Pattern& pattern = {}) {
  return {.score = &score_named("scaled_dot"),
          .pattern = pattern,
          .pattern_name = pattern.description(),
          .modifier = modifiers()[0],
          .sizes = sizes,
          .type = type};
}

bool all_true(const at::Tensor& tensor) { return tensor.all().item<bool>(); }

TEST(Edges, RowsWithoutKeysAreZero) {
  for (const auto& score : scores()) {
    for (const auto type : kFusedTypes) {
      auto mask = at::ones({40, 50}, at::kBool);
      for (const int64_t row : {0, 17, 39}) mask.select(0, row).fill_(false);
      Case one = simple_case(type, {.queries = 40, .keys = 50}, Pattern::from_mask(mask));
      one.score = &score;
      const auto in = random_inputs(one);
      const auto upstream = random_upstream(one);
      const auto fused = fused_of(one, in, upstream);
      for (const int64_t row : {0, 17, 39}) {
        EXPECT_TRUE(all_true(fused[0].tensor.select(2, row) == 0)) << one.text();
        EXPECT_TRUE(all_true(fused[1].tensor.select(2, row) == -INFINITY)) << one.text();
        EXPECT_TRUE(all_true(fused[2].tensor.select(2, row) == 0)) << one.text();
      }
      expect_rule(one, in, upstream, fused);
    }
  }
}

TEST(Edges, HugeLogits) {
  for (const auto type : kFusedTypes) {
    Case one = simple_case(type, {.queries = 33, .keys = 65}, Pattern::causal());
    auto in = random_inputs(one);
    // Scores of about ±1e4 after 1/√D.
    in.query = (in.query * 100).to(type).to(at::kDouble);
    in.key = (in.key * 100).to(type).to(at::kDouble);
    const auto upstream = random_upstream(one);
    const auto fused = fused_of(one, in, upstream);
    for (const auto& [name, tensor] : fused) {
      EXPECT_TRUE(all_true(tensor.isfinite())) << name << ", " << at::toString(type);
    }
    expect_rule(one, in, upstream, fused);
  }
}

// NaN and infinity in keys and values that nobody may attend to are never seen.
TEST(Edges, NanInMaskedKeysStaysThere) {
  for (const auto& score : scores()) {
    for (const auto type : kFusedTypes) {
      for (const double poison : {std::nan(""), double{INFINITY}}) {
        Case one = simple_case(type, {.queries = 40, .keys = 70},
                               Pattern::padded({.key = longs({37, 70})}));
        one.score = &score;
        const auto clean = random_inputs(one);
        const auto upstream = random_upstream(one);
        auto in = clean;
        in.key = clean.key.clone();
        in.value = clean.value.clone();
        in.key.index({0, Slice(), Slice(37)}).fill_(poison);
        in.value.index({0, Slice(), Slice(37)}).fill_(poison);
        expect_rule(one, clean, upstream, fused_of(one, in, upstream));
      }
    }
  }
}

// A NaN that is attended to comes out, and only where it is attended to.
TEST(Edges, NanInLiveKeysComesOut) {
  for (const auto type : kFusedTypes) {
    const Case one = simple_case(type, {.queries = 40, .keys = 40}, Pattern::causal());
    for (const bool in_key : {true, false}) {
      auto in = leaves(random_inputs(one), type);
      const at::NoGradGuard no_grad;
      (in_key ? in.key : in.value).index({Slice(), Slice(), 21}).fill_(std::nan(""));
      const auto output = attention(in.query, in.key, in.value, options_of(one, in)).output;
      EXPECT_TRUE(all_true(output.index({Slice(), Slice(), Slice(0, 21)}).isfinite()))
          << at::toString(type) << (in_key ? " key" : " value");
      EXPECT_TRUE(all_true(output.index({Slice(), Slice(), Slice(21)}).isnan()))
          << at::toString(type) << (in_key ? " key" : " value");
    }
  }
}

TEST(Edges, InfiniteBiasMasks) {
  for (const auto type : kFusedTypes) {
    const Case plain = simple_case(type, {.queries = 33, .keys = 50});
    const auto in = leaves(random_inputs(plain), type);
    auto mask = random_mask({33, 50}, 0.5);
    mask.select(0, 3).fill_(false);
    const auto bias = at::zeros({33, 50}, type).masked_fill(mask.logical_not(), -INFINITY);
    const auto by_bias = attention(in.query, in.key, in.value, {.bias = bias});
    const auto by_mask =
        attention(in.query, in.key, in.value, {.pattern = Pattern::from_mask(mask)});
    EXPECT_TRUE(at::allclose(by_bias.output, by_mask.output, 1e-2, 1e-5));
    EXPECT_TRUE(all_true(by_bias.output.select(2, 3) == 0));
    EXPECT_TRUE(all_true(by_bias.log_sum_exp.select(2, 3) == -INFINITY));
  }
}

TEST(Edges, NothingAtAll) {
  for (const Sizes& sizes :
       {Sizes{.batch = 0, .queries = 3, .keys = 4}, Sizes{.queries = 0, .keys = 4},
        Sizes{.queries = 3, .keys = 0}, Sizes{.heads = 0, .key_heads = 0, .queries = 3, .keys = 4},
        Sizes{.queries = 3, .keys = 4, .value_size = 0}}) {
    for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble}) {
      Case one = simple_case(type, sizes, Pattern::causal());
      one.modifier = modifiers().back();
      const auto in = random_inputs(one);
      const auto fused = fused_of(one, in, random_upstream(one));
      EXPECT_EQ(fused[0].tensor.sizes(),
                (std::vector<int64_t>{sizes.batch, sizes.heads, sizes.queries, sizes.value_size}));
      if (sizes.keys == 0) {
        EXPECT_TRUE(all_true(fused[0].tensor == 0));
        EXPECT_TRUE(all_true(fused[1].tensor == -INFINITY));
      }
      for (const auto& [name, tensor] : fused) {
        if (name == "log-sum-exp") continue;
        EXPECT_TRUE(all_true(tensor.isfinite())) << name;
      }
    }
  }
}

// The same values in other strides give the same bits.
TEST(Edges, StridesDoNotMatter) {
  for (const auto type : kFusedTypes) {
    const Case one = simple_case(type, {.queries = 33, .keys = 65}, Pattern::causal());
    const auto in = random_inputs(one);
    const auto upstream = random_upstream(one);
    const auto expected = fused_of(one, in, upstream);
    const auto by_rows = [](const at::Tensor& t) {
      return t.transpose(1, 2).contiguous().transpose(1, 2);
    };
    const auto padded = [](const at::Tensor& t) {
      return at::cat({t, t + 1}, 3).slice(3, 0, t.size(3));
    };
    const auto by_columns = [](const at::Tensor& t) {
      return t.transpose(2, 3).contiguous().transpose(2, 3);
    };
    for (const auto& restride :
         std::vector<std::function<at::Tensor(const at::Tensor&)>>{by_rows, padded, by_columns}) {
      const auto leaf = leaves(in, type);
      const auto all = results_of(one, leaf, upstream, [&](const Inputs& x, const auto& options) {
        return attention(restride(x.query), restride(x.key), restride(x.value), options);
      });
      for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_TRUE(at::equal(all[i].tensor, expected[i].tensor)) << all[i].name;
      }
    }
  }
}

TEST(Edges, ExpandedAndAliased) {
  for (const auto type : kFusedTypes) {
    Case one = simple_case(type, {.queries = 33, .keys = 33}, Pattern::causal());
    const auto in = random_inputs(one);
    const auto upstream = random_upstream(one);
    const auto same = [](const AttentionOptions& options, const at::Tensor& x, const auto& call) {
      const auto wide = x.slice(0, 0, 1).slice(1, 0, 1).expand(x.sizes());
      return call(wide, wide, wide, options);
    };
    const auto compare = [&](const auto& call, at::ScalarType dtype) {
      auto leaf = leaves(in, dtype);
      leaf.key = leaf.value = at::Tensor();
      return results_of(one, leaf, upstream, [&](const Inputs& x, const auto& options) {
        return same(options, x.query, call);
      });
    };
    const auto fused = compare([](const auto& q, const auto& k, const auto& v,
                                  const auto& options) { return attention(q, k, v, options); },
                               type);
    const auto plain =
        compare([&](const auto& q, const auto& k, const auto& v,
                    const auto& options) { return attention_math_in(q, k, v, options, type); },
                type);
    const auto truth = compare([](const auto& q, const auto& k, const auto& v,
                                  const auto& options) { return attention_math(q, k, v, options); },
                               at::kDouble);
    for (size_t i = 0; i < truth.size(); ++i) {
      const double bound = 2 * error_of(plain[i].tensor, truth[i].tensor) +
                           kFloorUlps * ulp(type) * largest(truth[i].tensor);
      EXPECT_LE(error_of(fused[i].tensor, truth[i].tensor), bound) << truth[i].name;
    }
  }
}

TEST(Edges, WithoutTheGradientOfTheOutput) {
  const Case one = simple_case(at::kFloat, {.queries = 33, .keys = 40}, Pattern::causal());
  const auto in = random_inputs(one);
  const auto gradient = [&](at::ScalarType type) {
    const auto leaf = leaves(in, type);
    const auto lse = attention(leaf.query, leaf.key, leaf.value, options_of(one, leaf)).log_sum_exp;
    return torch::autograd::grad({lse.sum()}, {leaf.query, leaf.key});
  };
  const auto fused = gradient(at::kFloat);
  const auto truth = gradient(at::kDouble);
  for (size_t i = 0; i < fused.size(); ++i) {
    EXPECT_LE(error_of(fused[i].to(at::kDouble), truth[i]), 1e-5 * largest(truth[i]));
  }
}

// By attention_math, of one tensor given three times.
TEST(Edges, SecondDerivativesAreThoseOfTheMath) {
  at::manual_seed(9);
  const auto start = at::randn({1, 1, 4, 8});
  const auto second = [&](at::ScalarType type) {
    const auto x = start.to(type).requires_grad_();
    const auto output = attention(x, x, x).output;
    const auto first = torch::autograd::grad({output.square().sum()}, {x}, {}, std::nullopt,
                                             /*create_graph=*/true)[0];
    return torch::autograd::grad({first.square().sum()}, {x})[0].to(at::kDouble);
  };
  EXPECT_TRUE(at::allclose(second(at::kFloat), second(at::kDouble), 1e-4, 1e-4));
}

class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

TEST(Threads, SameBits) {
  for (const auto& score : scores()) {
    for (const auto& pattern : patterns()) {
      for (const auto type : kFusedTypes) {
        at::manual_seed(9);
        Case one = simple_case(
            type, {.batch = 2, .heads = 4, .key_heads = 2, .queries = 130, .keys = 150});
        one.score = &score;
        one.modifier = modifiers().back();
        one.dropout = 0.2;
        one.pattern = pattern.make(one.sizes);
        one.pattern_name = pattern.name;
        const auto in = random_inputs(one);
        const auto upstream = random_upstream(one);
        std::vector<Named> first;
        for (const int count : {1, 2, 3, 4, 7}) {
          const Threads threads(count);
          const auto all = fused_of(one, in, upstream);
          if (first.empty()) first = all;
          for (size_t i = 0; i < all.size(); ++i) {
            EXPECT_TRUE(at::equal(all[i].tensor, first[i].tensor))
                << all[i].name << " with " << count << " threads, " << one.text();
          }
        }
      }
    }
  }
}

// What is computed in inference mode, where other engines may take few queries and short rows.
std::vector<Named> inferred_of(const Case& one, const Inputs& in) {
  const c10::InferenceMode inference;
  Inputs x = in;
  for (auto& [name, tensor] : x.named()) {
    if (!tensor->defined()) continue;
    const bool learned = tensor == &x.parameter || tensor == &x.slopes || tensor == &x.table;
    *tensor = tensor->to(learned ? at::kFloat : one.type).clone();
  }
  const auto result = attention(x.query, x.key, x.value, options_of(one, x));
  return {{"output", result.output.to(at::kDouble)},
          {"log-sum-exp", result.log_sum_exp.to(at::kDouble)}};
}

// The sums of squared errors of many cases: root mean squares, because each case is a few numbers.
struct SquaredErrors {
  double heed = 0, torch = 0;
};

void add_inferred(const Case& one, std::array<SquaredErrors, 2>& sums) {
  const auto in = random_inputs(one);
  const auto upstream = random_upstream(one);
  const auto truth = truth_of(one, in, upstream);
  const auto plain = plain_of(one, in, upstream);
  const auto inferred = inferred_of(one, in);
  const auto squares = [](const at::Tensor& a, const at::Tensor& b) {
    const auto finite = b.isfinite();
    EXPECT_TRUE(at::equal(finite, a.isfinite()));
    return (a - b).masked_select(finite).square().sum().item<double>();
  };
  for (size_t i = 0; i < inferred.size(); ++i) {
    sums[i].heed += squares(inferred[i].tensor, truth[i].tensor);
    sums[i].torch += squares(plain[i].tensor, truth[i].tensor);
  }
}

TEST(Edges, FewQueriesInInferenceMode) {
  for (const auto type : kFusedTypes) {
    for (const auto& score : scores()) {
      for (const auto& modifier : modifiers()) {
        std::array<SquaredErrors, 2> sums;
        Case one = simple_case(type, {});
        one.score = &score;
        one.modifier = modifier;
        for (const int64_t keys : {1, 2, 15, 64, 127}) {
          for (const int64_t queries : {1, 5}) {
            one.sizes.queries = queries;
            one.sizes.keys = keys;
            for (const auto& pattern : {Pattern::full(), Pattern::causal(),
                                        Pattern::padded({.key = longs({keys, (keys + 1) / 2})})}) {
              one.pattern = pattern;
              add_inferred(one, sums);
            }
          }
        }
        for (const SquaredErrors& each : sums) {
          EXPECT_LE(std::sqrt(each.heed), 2 * std::sqrt(each.torch)) << one.text();
        }
      }
    }
  }
}

}  // namespace
}  // namespace heed::conformance
