// Dropout: how much is kept, what the mean is, and that both passes drop the same weights.
#include "heed/base/error.h"
#include "heed/ops/attention/dropout_mask.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

// With an identity for value the output is the matrix of dropped weights itself.
struct Weights {
  at::Tensor forward;   // (B, H, N, N)
  at::Tensor backward;  // the same, from the gradient of value
  at::Tensor whole;     // without dropout
};

constexpr int64_t kCount = 96;

Weights dropped_weights(double dropout, uint64_t seed, at::ScalarType type) {
  at::manual_seed(4);
  const auto query = (at::randn({2, 3, kCount, 16}) * 0.3).to(type);
  const auto eye = at::eye(kCount, type).expand({2, 3, kCount, kCount});
  const auto value = eye.clone().requires_grad_();
  const AttentionOptions options{.dropout = dropout, .dropout_seed = seed};
  const auto output = attention(query, query, value, options).output;
  const auto grad = torch::autograd::grad({output}, {value}, {eye.contiguous()})[0];
  return {.forward = output.detach(),
          .backward = grad.transpose(-2, -1),
          .whole = attention(query, query, eye.contiguous()).output};
}

TEST(Dropout, ForwardAndBackwardDropTheSame) {
  for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble}) {
    const auto weights = dropped_weights(0.3, 5, type);
    EXPECT_TRUE(at::equal(weights.forward == 0, weights.backward == 0)) << at::toString(type);
    EXPECT_TRUE(
        at::allclose(weights.forward, weights.backward, type == at::kBFloat16 ? 0x1p-6 : 1e-5, 0));
  }
}

TEST(Dropout, FusedAndPlainDropTheSame) {
  const auto fused = dropped_weights(0.4, 123456789012345, at::kFloat);
  const auto plain = dropped_weights(0.4, 123456789012345, at::kDouble);
  EXPECT_TRUE(at::equal(fused.forward == 0, plain.forward == 0));
}

// Five standard deviations of a binomial: one correct generator in two million fails.
TEST(Dropout, KeepsTheRightShare) {
  for (const double dropout : {0.01, 0.1, 0.5, 0.9}) {
    for (const uint64_t seed : {0, 1, 99}) {
      const auto weights = dropped_weights(dropout, seed, at::kFloat);
      const double count = static_cast<double>(weights.forward.numel());
      const double kept = (weights.forward != 0).sum().item<double>() / count;
      EXPECT_NEAR(kept, 1 - dropout, 5 * std::sqrt(dropout * (1 - dropout) / count));
      // And so in each row and each column.
      const auto live = (weights.forward != 0).to(at::kDouble);
      for (const int64_t axis : {2, 3}) {
        const auto share = live.mean(axis);
        const double spread = std::sqrt(dropout * (1 - dropout) / kCount);
        EXPECT_LE((share - (1 - dropout)).abs().max().item<double>(), 6 * spread)
            << dropout << " " << axis;
        EXPECT_NEAR(share.std().item<double>(), spread, 0.15 * spread);
      }
    }
  }
}

TEST(Dropout, MeanOverSeedsIsTheWhole) {
  constexpr int kSeeds = 200;
  at::Tensor sum;
  at::Tensor whole;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto weights = dropped_weights(0.25, seed, at::kFloat);
    whole = weights.whole;
    sum = sum.defined() ? sum + weights.forward : weights.forward;
  }
  // A kept weight is w / 0.75, so its variance is w² · 0.25 / 0.75.
  const auto off = (sum / kSeeds / whole - 1) / std::sqrt(0.25 / 0.75 / kSeeds);
  EXPECT_NEAR(off.mean().item<double>(), 0, 5 / std::sqrt(static_cast<double>(off.numel())));
  EXPECT_NEAR(off.std().item<double>(), 1, 0.05);
  EXPECT_LE(off.abs().max().item<double>(), 7);
}

TEST(Dropout, SeedsHeadsAndBatchesDiffer) {
  const auto a = dropped_weights(0.5, 1, at::kFloat).forward != 0;
  const auto b = dropped_weights(0.5, 2, at::kFloat).forward != 0;
  const auto alike = [](const at::Tensor& x, const at::Tensor& y) {
    return (x == y).to(at::kDouble).mean().item<double>();
  };
  const double bound = 5 * 0.5 / kCount;
  EXPECT_NEAR(alike(a, b), 0.5, bound);
  EXPECT_NEAR(alike(a.select(0, 0), a.select(0, 1)), 0.5, bound);
  EXPECT_NEAR(alike(a.select(1, 0), a.select(1, 1)), 0.5, bound);
}

// One query by the engine of rows, many by that of tiles, double by tensors.
TEST(Dropout, SomeHeadsDropWhatTheyWouldAmongAll) {
  at::manual_seed(2);
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const int64_t queries : {1, 70}) {
      const auto query = at::randn({2, 6, queries, 16}, type);
      const auto key = at::randn({2, 6, 70, 16}, type);
      AttentionOptions options{.dropout = 0.5, .dropout_seed = 3};
      const auto all = attention(query, key, key, options).output;
      options.dropout_heads = {.first = 2, .whole = 6};
      const auto some_keys = key.narrow(1, 2, 3).contiguous().requires_grad_();
      const auto some = attention(query.narrow(1, 2, 3), some_keys, some_keys, options).output;
      EXPECT_TRUE(at::allclose(some, all.narrow(1, 2, 3), 1e-4, 1e-6)) << queries;
    }
  }
  const auto x = at::randn({2, 3, 5, 16});
  EXPECT_THROW(attention(x, x, x, {.dropout_heads = {.first = 2, .whole = 4}}), UsageError);
}

}  // namespace
}  // namespace heed::conformance
