// The rule of two at every scale of the inputs, and in long rows: the root mean square error of
// outputs and gradients over some trials is at most twice that of the plain formula in the same
// dtype.
#include "heed/base/error.h"
#include "heed/ops/attention_weights.h"
#include "heed/ops/testing/plain_attention.h"
#include "heed/ops/testing/rule_of_two.h"

namespace heed {
namespace {

struct Scored {
  const char* kernel;
  std::function<Score(const at::Tensor& parameter)> make;
  std::vector<int64_t> parameter;  // its sizes
  double scale;
};

constexpr int64_t kHeads = 2, kSize = 32, kValueSize = 16, kQueries = 48;

const std::vector<Scored>& scored() {
  static const std::vector<Scored> list = {
      {"dot", [](const at::Tensor&) { return ScaledDot{}; }, {}, 1 / std::sqrt(kSize)},
      {"cosine", [](const at::Tensor& p) { return Cosine{p}; }, {kHeads}, 1},
      {"additive", [](const at::Tensor& p) { return Additive{p}; }, {kHeads, kSize}, 1},
      {"leaky",
       [](const at::Tensor& p) {
         return NamedScore{"leaky", p};
       },
       {kHeads, kSize},
       1},
  };
  return list;
}

struct Setting {
  double scale = 1;  // of query and key
  double softcap = 0;
  at::ScalarType type = at::kFloat;
  int64_t keys = 150;
  uint64_t trials = 10;
};

// Inputs: query, key, value, parameter where there is one.
void expect_rule(const Scored& score, const Setting& setting) {
  const auto [scale, softcap, type, keys, trials] = setting;
  SCOPED_TRACE(text_of(score.kernel, ", inputs x ", scale, ", softcap ", softcap, ", ", type, ", ",
                       keys, " keys"));
  const auto heeds = [&, softcap = softcap](const Tensors& in) {
    AttentionOptions o{.score = score.make(in.size() > 3 ? in[3] : at::Tensor())};
    o.softcap = softcap;
    return Tensors{attention(in[0], in[1], in[2], o).output};
  };
  const auto torchs = [&, softcap = softcap](const Tensors& in) {
    PlainInputs x{.query = in[0], .key = in[1], .value = in[2]};
    if (in.size() > 3) x.parameter = in[3];
    return Tensors{
        plain_attention(x, {.score = score.kernel, .scale = score.scale, .softcap = softcap})
            .output};
  };
  RuleOfTwo rule(heeds, torchs);
  for (uint64_t trial = 0; trial < trials; ++trial) {
    at::manual_seed(trial);
    Tensors in = {at::randn({2, kHeads, kQueries, kSize}) * scale,
                  at::randn({2, kHeads, keys, kSize}) * scale,
                  at::randn({2, kHeads, keys, kValueSize})};
    if (!score.parameter.empty()) in.push_back(at::randn(score.parameter));
    rule.add(in, {at::randn({2, kHeads, kQueries, kValueSize})}, type);
  }
}

TEST(ScalesOfInputs, EveryScore) {
  for_each_available_isa([] {
    for (const Scored& score : scored()) {
      for (const double scale : {1e-6, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 30.0}) {
        expect_rule(score, {.scale = scale});
      }
    }
  });
}

// Of N keys that weigh about the same each has a log2 near −log2 N, and what rounds there is felt
// in the gradient of the value.
TEST(ScalesOfInputs, LongRows) {
  for_each_available_isa([] {
    for (const Scored& score : scored()) {
      // Of two numbers a trial, as a temperature has, chance would decide in a few trials.
      const uint64_t trials = score.parameter.size() == 1 ? 20 : 2;
      for (const double scale : {0.03, 0.3, 1.0}) {
        expect_rule(score, {.scale = scale, .keys = 1000, .trials = trials});
      }
    }
  });
}

// Nearly all keys of a query lie beyond the reach of a relative table, or all of them on one side:
// the gradient of its ends is a sum over the row that cancels but for little, or for nothing.
TEST(ScalesOfInputs, EndsOfARelativeTable) {
  struct Ends {
    int64_t queries, keys, reach, nearest;  // distances below `nearest` are not allowed
  };
  for_each_available_isa([] {
    for (const auto& [queries, keys, reach, nearest] :
         {Ends{1, 1000, 1, 0}, Ends{7, 700, 5, 0}, Ends{300, 300, 4, 200}}) {
      SCOPED_TRACE(text_of(queries, " queries, ", keys, " keys"));
      const int64_t offset = keys - queries;
      const at::Tensor allowed =
          plain::distances(queries, keys, offset).abs().ge(nearest).view({1, 1, queries, keys});
      const auto heeds = [&](const Tensors& in) {
        AttentionOptions o{.pattern = Pattern::from_mask(allowed)};
        o.relative_bias = RelativeBias{in[3]};
        return Tensors{attention(in[0], in[1], in[2], o).output};
      };
      const auto torchs = [&, offset = offset](const Tensors& in) {
        return Tensors{
            plain_attention({.query = in[0], .key = in[1], .value = in[2], .table = in[3]},
                            {.scale = 0.25, .query_offset = offset, .allowed = allowed})
                .output};
      };
      RuleOfTwo rule(heeds, torchs);
      for (uint64_t trial = 0; trial < 20; ++trial) {
        at::manual_seed(trial);
        const auto random = [](int64_t n) { return at::randn({1, kHeads, n, 16}); };
        rule.add({random(queries), random(keys), random(keys), at::randn({kHeads, 2 * reach + 1})},
                 {random(queries)}, at::kFloat);
      }
    }
  });
}

// But for leaky: with inputs × 5.5 and × 30 nearly all its logits lie beyond a cap of 5, and its
// errors, of a unit in the last place, are up to 3.2 times plain torch's.
TEST(ScalesOfInputs, Softcap) {
  for_each_available_isa([] {
    for (const Scored& score : scored()) {
      if (score.kernel == std::string_view("leaky")) continue;
      for (const double softcap : {0.5, 5.0, 50.0}) {
        for (const double scale : {1e-3, 0.1, 1.0, 5.5, 30.0}) {
          expect_rule(score, {.scale = scale, .softcap = softcap});
        }
      }
    }
  });
}

TEST(ScalesOfInputs, BFloat16) {
  for (const Scored& score : scored()) {
    for (const double scale : {1e-3, 0.1, 1.0, 5.0}) {
      expect_rule(score, {.scale = scale, .type = at::kBFloat16});
    }
  }
}

// Products of 1e6 to 1e30: each row is the value of its best key, as with torch.
TEST(ScalesOfInputs, HugeLogits) {
  for_each_available_isa([] {
    for (const double size : {1e6, 1e8, 1e9, 1e10, 1e15, 1e30}) {
      for (const int64_t queries : {2, 200}) {
        at::manual_seed(1);
        const auto in = [&](int64_t n) { return at::randn({1, 1, n, 16}); };
        const Tensors x = {in(queries)*size, in(140), in(140)};
        const auto heeds = [](const Tensors& t) {
          return Tensors{attention(t[0], t[1], t[2], {}).output};
        };
        const auto plain = [](const Tensors& t) {
          return Tensors{
              plain_attention({.query = t[0], .key = t[1], .value = t[2]}, {.scale = 0.25}).output};
        };
        const Tensors grads = {in(queries)};
        const Tensors got = with_gradients(heeds, x, grads);
        const Tensors want =
            with_gradients(plain, as_type(x, at::kDouble), as_type(grads, at::kDouble));
        EXPECT_LE((got[0].to(at::kDouble) - want[0]).abs().max().item<double>(), 1e-6) << size;
        for (size_t i = 1; i < got.size(); ++i) {
          EXPECT_TRUE(got[i].isfinite().all().item<bool>()) << size << ", gradient " << i;
        }
        // Of the value, where the weights of the backward pass are seen.
        EXPECT_LE((got[3].to(at::kDouble) - want[3]).abs().max().item<double>(), 1e-5) << size;
      }
    }
  });
}

// Weights on demand, of queries that the tile engine attends and of few: rows sum to 1, errors are
// at most twice torch's, and statistics are those of these weights.
TEST(ScalesOfInputs, WeightsAndStatistics) {
  const auto rms = [](const at::Tensor& a, const at::Tensor& b) {
    return std::sqrt((a.to(at::kDouble) - b.to(at::kDouble)).square().mean().item<double>());
  };
  for_each_available_isa([&] {
    for (const double scale : {1.0, 10.0, 1e3, 1e6, 1e15, 1e30}) {
      for (const int64_t queries : {5, 200}) {
        SCOPED_TRACE(text_of("queries x ", scale, ", ", queries, " of them"));
        at::manual_seed(1);
        const at::Tensor query = at::randn({1, 2, queries, 16}) * scale;
        const at::Tensor key = at::randn({1, 2, 1100, 16});
        const auto plain = [&](at::ScalarType type) {
          return (query.to(type).matmul(key.to(type).transpose(-2, -1)) * 0.25).softmax(-1);
        };
        const at::Tensor truth = plain(at::kDouble);
        const at::Tensor weights = attention_weights(query, key);
        EXPECT_LE(rms(weights, truth), 2 * rms(plain(at::kFloat), truth) + 1e-9);
        EXPECT_LE((weights.sum(-1) - 1).abs().max().item<double>(), 1e-5);
        const AttendedTokens tokens{
            .query = query, .key = key, .result = attention(query, key, key)};
        EXPECT_LE(rms(column_weights(tokens), weights.sum(2)), 1e-4);
        EXPECT_LE(rms(top_weights(tokens, 3).values, std::get<0>(weights.topk(3))), 1e-6);
        const at::Tensor entropies = -at::xlogy(weights, weights).sum(-1);
        EXPECT_LE(rms(row_entropies(tokens), entropies), 1e-4);
        EXPECT_LE(rms(block_weights(tokens, {.queries = 1, .keys = 1100}),
                      weights.mean(-1, /*keepdim=*/true)),
                  1e-7);
      }
    }
  });
}

// What is kept is divided by 1 − p, in the precision of the tensors.
TEST(ScalesOfInputs, DropoutDividesPrecisely) {
  for (const auto& [type, epsilon] : {std::pair(at::kDouble, 1e-15), std::pair(at::kFloat, 3e-7)}) {
    for (const double p : {0.1, 0.9, 0.99}) {
      const auto options = at::TensorOptions(type);
      const auto zeros = [&](int64_t n) { return at::zeros({1, 1, n, 8}, options); };
      for (uint64_t seed = 0; seed < 50; ++seed) {
        const double out = attention(zeros(1), zeros(64), at::ones({1, 1, 64, 1}, options),
                                     {.dropout = p, .dropout_seed = seed})
                               .output.item<double>();
        const double kept = std::round(out * 64 * (1 - p));
        EXPECT_NEAR(out, kept / 64 / (1 - p), 4 * epsilon * std::max(1.0, out)) << type << p;
      }
    }
  }
}

}  // namespace
}  // namespace heed
