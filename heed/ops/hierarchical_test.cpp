#include "heed/ops/hierarchical.h"

#include "heed/base/error.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

using at::indexing::Slice;

// Segment by segment with dense attention.
at::Tensor by_hand(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  std::vector<at::Tensor> parts, query_means, key_means, value_means;
  const std::vector<int64_t> offsets = {0, 3, 7, 12};
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const auto in = [&](const at::Tensor& x) { return x.slice(2, offsets[s], offsets[s + 1]); };
    parts.push_back(attention_math(in(q), in(k), in(v)).output);
    query_means.push_back(in(q).mean(2, true));
    key_means.push_back(in(k).mean(2, true));
    value_means.push_back(parts.back().mean(2, true));
  }
  const auto above =
      attention_math(at::cat(query_means, 2), at::cat(key_means, 2), at::cat(value_means, 2));
  for (size_t s = 0; s < parts.size(); ++s) {
    parts[s] =
        parts[s] + above.output.slice(2, static_cast<int64_t>(s), static_cast<int64_t>(s) + 1);
  }
  return at::cat(parts, 2);
}

TEST(Hierarchical, EqualsSegmentBySegment) {
  at::manual_seed(1);
  const auto q = randn({2, 3, 12, 4}).requires_grad_();
  const auto k = randn({2, 3, 12, 4}).requires_grad_();
  const auto v = randn({2, 3, 12, 5}).requires_grad_();
  const auto result = hierarchical_attention(q, k, v, {.offsets = {longs({0, 3, 7, 12})}});
  const auto expected = by_hand(q, k, v);
  EXPECT_LE(error_of(result.output, expected), 1e-12);
  const auto upstream = randn({2, 3, 12, 5});
  const auto found = torch::autograd::grad({result.output}, {q, k, v}, {upstream});
  const auto right = torch::autograd::grad({expected}, {q, k, v}, {upstream});
  for (size_t i = 0; i < found.size(); ++i) EXPECT_LE(error_of(found[i], right[i]), 1e-11);
}

TEST(Hierarchical, ManyLevelsAndGroupedHeads) {
  at::manual_seed(2);
  const auto q = at::randn({1, 4, 40, 8});
  const auto k = at::randn({1, 2, 40, 8});
  const auto result = hierarchical_attention(
      q, k, k, {.offsets = {longs({0, 10, 10, 20, 30, 40}), longs({0, 2, 5}), longs({0, 2})}});
  ASSERT_EQ(result.levels.size(), 4u);
  EXPECT_EQ(result.levels[1].output.size(2), 5);
  EXPECT_EQ(result.levels[2].output.size(2), 2);
  EXPECT_EQ(result.levels[3].output.size(2), 1);
  EXPECT_EQ(result.output.sizes(), q.sizes());
  // One summary alone attends to itself: the top level adds its value everywhere.
  EXPECT_TRUE(
      at::allclose(result.levels[3].output, result.levels[2].output.mean(2, true), 1e-5, 1e-6));
}

TEST(Hierarchical, OffsetsMustFit) {
  const auto q = at::zeros({1, 1, 6, 4});
  EXPECT_THROW(hierarchical_attention(q, q, q, {.offsets = {longs({0, 3, 5})}}), UsageError);
  EXPECT_THROW(hierarchical_attention(q, q, q, {.offsets = {longs({0, 4, 3, 6})}}), UsageError);
}

}  // namespace
}  // namespace heed::conformance
