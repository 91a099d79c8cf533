#include "heed/nn/attention/attention_recorder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/nn/attention/multi_head_attention.h"

namespace heed::nn {
namespace {

TEST(AttentionRecorder, ItsCallsGiveTheWeightsOfATrace) {
  at::manual_seed(4);
  const MultiHeadAttention layer({.d_model = 8, .num_heads = 2});
  const at::Tensor input = at::randn({2, 7, 8});
  AttentionTrace trace;
  const at::Tensor output = layer.forward(input, Pattern::causal(), &trace);
  const AttentionRecorder outer;
  const AttentionRecorder recorder;
  EXPECT_TRUE(at::equal(layer.forward(input, Pattern::causal()), output));
  EXPECT_TRUE(outer.self.empty());
  EXPECT_TRUE(recorder.cross.empty());
  ASSERT_EQ(recorder.self.size(), 1U);
  const AttendedTokens& call = recorder.self[0].tokens;
  EXPECT_TRUE(at::equal(attention_weights(call.query, call.key, call.options, {}, call.result),
                        trace.weights[0]));
  const at::Tensor product = at::matmul(trace.weights[0], recorder.self[0].value);
  EXPECT_TRUE(at::allclose(product, call.result.output, 1e-5, 1e-6));
}

TEST(AttentionRecorder, CrossAttentionStandsApart) {
  const CrossAttention layer({.d_model = 8, .num_heads = 2});
  const ProjectedMemory memory = layer.project(at::randn({1, 5, 8}));
  {
    const AttentionRecorder recorder;
    layer.forward(at::randn({1, 3, 8}), memory, Pattern::full());
    EXPECT_TRUE(recorder.self.empty());
    ASSERT_EQ(recorder.cross.size(), 1U);
    EXPECT_EQ(recorder.cross[0].tokens.key.size(2), 5);
  }
  EXPECT_EQ(AttentionRecorder::current(), nullptr);
}

}  // namespace
}  // namespace heed::nn
