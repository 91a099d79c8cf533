#include "heed/nn/attention/graph_attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/attention/attention_recorder.h"

namespace heed::nn {
namespace {

// Node 0 attends to 0 and 1, node 1 to 1, node 2 to all.
Pattern edges() {
  return Pattern::graph({.offsets = at::tensor({0, 2, 3, 6}, at::kLong),
                         .columns = at::tensor({0, 1, 1, 0, 1, 2}, at::kLong)});
}

at::Tensor allowed() {
  return at::tensor({1, 1, 0, 0, 1, 0, 1, 1, 1}, at::kLong).to(at::kBool).reshape({3, 3});
}

at::Tensor parameter_of(const torch::nn::Module& module, const std::string& name) {
  return module.named_parameters()[name];
}

TEST(GraphAttention, IsThatOfGat) {
  at::manual_seed(1);
  GraphAttention layer({.num_heads = 2, .size = 4});
  ASSERT_EQ(layer.projected_size(), 8);
  const at::Tensor z = at::randn({3, 8});
  const at::Tensor heads = z.reshape({3, 2, 4});
  const at::Tensor of_target = (heads * parameter_of(layer, "attention_target")).sum(-1);
  const at::Tensor of_source = (heads * parameter_of(layer, "attention_source")).sum(-1);
  // Veličković et al. 2018, eq. 3 and 4
  const at::Tensor scores =
      at::leaky_relu(of_target.t().unsqueeze(2) + of_source.t().unsqueeze(1), 0.2)
          .masked_fill(allowed().logical_not(), -INFINITY);
  const at::Tensor weights = at::softmax(scores, -1);  // (H, N, N)
  const at::Tensor expected = weights.matmul(heads.transpose(0, 1)).transpose(0, 1);
  const AttentionRecorder recorder;
  EXPECT_TRUE(at::allclose(layer.forward(z, edges()), expected, 1e-5, 1e-6));
  ASSERT_EQ(recorder.self.size(), 1U);
  const AttendedTokens& call = recorder.self[0].tokens;
  EXPECT_TRUE(at::allclose(
      attention_weights(call.query, call.key, call.options, {.queries = {2, 0}}).squeeze(0),
      weights.index_select(1, at::tensor({2, 0}, at::kLong)), 1e-5, 1e-6));
}

TEST(GraphAttention, IsThatOfGatv2) {
  at::manual_seed(2);
  GraphAttention layer({.num_heads = 2, .size = 4, .score = "gatv2"});
  const at::Tensor projected = at::randn({3, 16});
  const at::Tensor target = projected.narrow(1, 0, 8).reshape({3, 2, 4}).transpose(0, 1);
  const at::Tensor source = projected.narrow(1, 8, 8).reshape({3, 2, 4}).transpose(0, 1);
  // Brody et al. 2022, eq. 7
  const at::Tensor scores = (at::leaky_relu(target.unsqueeze(2) + source.unsqueeze(1), 0.2) *
                             parameter_of(layer, "score_parameter").reshape({2, 1, 1, 4}))
                                .sum(-1)
                                .masked_fill(allowed().logical_not(), -INFINITY);
  const at::Tensor expected = at::softmax(scores, -1).matmul(source).transpose(0, 1);
  EXPECT_TRUE(at::allclose(layer.forward(projected, edges()), expected, 1e-5, 1e-6));
}

TEST(GraphAttention, OtherScoresHaveQueryKeyAndValue) {
  for (const char* score : {"scaled_dot", "dot", "cosine", "additive"}) {
    at::manual_seed(3);
    GraphAttention layer({.num_heads = 2, .size = 4, .score = score});
    EXPECT_EQ(layer.projected_size(), 24) << score;
    const at::Tensor projected = at::randn({3, 24}).requires_grad_();
    const at::Tensor output = layer.forward(projected, edges());
    EXPECT_EQ(output.sizes(), at::IntArrayRef({3, 2, 4}));
    // Node 1 attends to itself alone: its value.
    EXPECT_TRUE(at::allclose(output[1].flatten(), projected[1].narrow(0, 16, 8), 1e-5, 1e-6));
  }
  EXPECT_THROW(GraphAttention({.num_heads = 2, .size = 4, .score = "none"}), UsageError);
}

TEST(SparseLinear, IsAProductWithTheDenseMatrix) {
  at::manual_seed(4);
  SparseLinear layer(5, 3);
  const SparseMatrix rows{.offsets = at::tensor({0, 2, 2, 3}, at::kLong),
                          .columns = at::tensor({1, 4, 0}, at::kLong),
                          .values = at::tensor({0.5, -2.0, 3.0}, at::kFloat)};
  at::Tensor dense = at::zeros({3, 5});
  dense[0][1] = 0.5;
  dense[0][4] = -2;
  dense[2][0] = 3;
  const at::Tensor output = layer.forward(rows);
  EXPECT_TRUE(at::allclose(output, dense.matmul(layer.weight), 1e-5, 1e-6));
  output.square().sum().backward();
  const at::Tensor expected = dense.t().matmul(2 * dense.matmul(layer.weight.detach()));
  EXPECT_TRUE(at::allclose(layer.weight.grad(), expected, 1e-5, 1e-6));
  EXPECT_EQ(layer.forward(rows, 0.5)[1].abs().sum().item<float>(), 0);
}

}  // namespace
}  // namespace heed::nn
