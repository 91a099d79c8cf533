#include "heed/nn/layers/packed_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

at::Tensor some_lengths() { return at::tensor({2, 0, 5, 1}, at::kLong); }

// The definition, token by token.
at::Tensor tokens_of(const at::Tensor& padded, const at::Tensor& lengths) {
  std::vector<at::Tensor> rows;
  for (int64_t b = 0; b < padded.size(0); ++b) {
    rows.push_back(padded[b].slice(0, 0, lengths[b].item<int64_t>()));
  }
  return at::cat(rows).unsqueeze(0);
}

TEST(PackedRows, TokensStandOneBehindTheOther) {
  at::manual_seed(4);
  const PackedRows rows(some_lengths(), 6);
  EXPECT_EQ(rows.batch(), 4);
  EXPECT_EQ(rows.longest(), 6);
  EXPECT_EQ(rows.tokens(), 8);
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const at::Tensor x = at::randn({4, 6, 3}).to(type);
    const at::Tensor packed = rows.pack(x);
    EXPECT_TRUE(packed.equal(tokens_of(x, some_lengths())));
    EXPECT_TRUE(packed.equal(rows.pack(x.transpose(1, 2).contiguous().transpose(1, 2))));
    const at::Tensor again = rows.unpack(packed);
    EXPECT_TRUE(rows.pack(again).equal(packed));
    const at::Tensor behind = at::arange(6).unsqueeze(0) >= some_lengths().unsqueeze(1);
    EXPECT_EQ(again.masked_select(behind.unsqueeze(-1)).count_nonzero().item<int64_t>(), 0);
    EXPECT_TRUE(PackedRows(rows.numbers()).pack(x).equal(packed));
  }
}

// Of a sum of cubes, so that both derivatives depend on where a number came from.
TEST(PackedRows, HaveTwoDerivatives) {
  at::manual_seed(4);
  const PackedRows rows(some_lengths(), 6);
  const at::Tensor x = at::randn({4, 6, 3}, at::kDouble).requires_grad_();
  const auto derivatives = [&](const at::Tensor& packed) {
    const at::Tensor first =
        torch::autograd::grad({packed.pow(3).sum()}, {x}, {}, {}, /*create_graph=*/true)[0];
    return std::make_pair(first, torch::autograd::grad({first.pow(2).sum()}, {x})[0]);
  };
  const auto [expected, expected_again] = derivatives(tokens_of(x, some_lengths()));
  const auto [got, got_again] = derivatives(rows.pack(x));
  EXPECT_TRUE(got.equal(expected) && got_again.equal(expected_again));
  const auto [round, round_again] = derivatives(rows.unpack(rows.pack(x)));
  EXPECT_TRUE(round.equal(expected) && round_again.equal(expected_again));
}

// A tensor that is more than its memory, here for a sign that is not in it.
TEST(PackedRows, SeeWhatIsNotInMemory) {
  const PackedRows rows(some_lengths(), 6);
  const at::Tensor x = at::randn({4, 6, 3});
  const at::Tensor negative = at::_neg_view(x);
  EXPECT_TRUE(rows.pack(negative).equal(-rows.pack(x)));
  const at::Tensor packed = rows.pack(x);
  EXPECT_TRUE(rows.unpack(at::_neg_view(packed)).equal(-rows.unpack(packed)));
}

TEST(PackedRows, AreMadeWhereThereIsPaddingToLeaveOut) {
  const at::Tensor x = at::zeros({4, 100, 3});
  const auto packs = [&](const at::Tensor& lengths) {
    return packed_where_it_pays(x, lengths) != nullptr;
  };
  const auto lengths = [](std::vector<int64_t> all) { return at::tensor(all, at::kLong); };
  EXPECT_TRUE(packs(lengths({100, 1, 50, 7})));
  EXPECT_FALSE(packs({}));
  EXPECT_FALSE(packs(lengths({100, 100, 100, 100})));
  EXPECT_FALSE(packs(lengths({100, 100, 99, 100})));
  EXPECT_FALSE(packs(lengths({0, 0, 0, 0})));
  // What the pattern of the lengths refuses.
  EXPECT_FALSE(packs(lengths({101, 1, 1, 1})));
  EXPECT_FALSE(packs(lengths({100, -1, 1, 1})));
  EXPECT_FALSE(packs(lengths({100, 1, 1})));
  EXPECT_FALSE(packs(lengths({100, 1, 1, 1}).to(at::kInt)));
}

}  // namespace
}  // namespace heed::nn
