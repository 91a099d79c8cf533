#include "heed/ops/attention/graph_columns.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "heed/base/error.h"
#include "heed/ops/attention.h"

namespace heed {
namespace {

constexpr int64_t kNodes = 70;

// Node i sees i, i + 1 and i + `step`, as far as there are such.
Pattern::Csr edges_with(int64_t step) {
  std::vector<int64_t> offsets{0}, columns;
  for (int64_t i = 0; i < kNodes; ++i) {
    for (const int64_t j : {i, i + 1, i + step}) {
      if (j < kNodes) columns.push_back(j);
    }
    while (columns.size() < static_cast<size_t>(3 * i + 3)) columns.push_back(-1);
    offsets.push_back(static_cast<int64_t>(columns.size()));
  }
  // As many edges whatever the step: the rows at the end see the first nodes instead.
  for (int64_t i = 0; i < kNodes; ++i) {
    const auto row = columns.begin() + 3 * i;
    for (int64_t spare = 0, e = 0; e < 3; ++e) {
      if (row[e] < 0) row[e] = spare++;
    }
    std::sort(row, row + 3);
  }
  return {.offsets = at::tensor(offsets, at::kLong), .columns = at::tensor(columns, at::kLong)};
}

struct Inputs {
  at::Tensor query, key, value, grad;
};

Inputs some_inputs() {
  at::manual_seed(5);
  const auto make = [] { return at::randn({1, 2, kNodes, 8}); };
  return {make().requires_grad_(), make().requires_grad_(), make().requires_grad_(), make()};
}

using Attend = AttentionResult (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                   const AttentionOptions&);

std::vector<at::Tensor> gradients(const Inputs& in, const Pattern& pattern, Attend attend) {
  const auto output = attend(in.query, in.key, in.value, {.pattern = pattern}).output;
  return torch::autograd::grad({output}, {in.query, in.key, in.value}, {in.grad});
}

void expect_right(const Inputs& in, const Pattern& pattern) {
  const auto fused = gradients(in, pattern, attention);
  const auto plain = gradients(in, pattern, attention_math);
  for (size_t i = 0; i < fused.size(); ++i) {
    EXPECT_LT((fused[i] - plain[i]).abs().max().item<float>(), 1e-5) << "input " << i;
  }
}

TEST(GraphColumns, OneTransposeForAllLayersAndSteps) {
  const Inputs in = some_inputs();
  const auto edges = edges_with(5);
  const int64_t before = graph_columns_summary().transposed;
  for (int step = 0; step < 3; ++step) {
    expect_right(in, Pattern::graph(edges));
    // What only has the same contents is the same graph.
    expect_right(in, Pattern::graph({.offsets = edges.offsets, .columns = edges.columns.clone()}));
  }
  EXPECT_EQ(graph_columns_summary().transposed - before, 1);
}

TEST(GraphColumns, ForwardAloneTransposesNothing) {
  const Inputs in = some_inputs();
  const int64_t before = graph_columns_summary().transposed;
  attention(in.query, in.key, in.value, {.pattern = Pattern::graph(edges_with(6))});
  EXPECT_EQ(graph_columns_summary().transposed, before);
}

TEST(GraphColumns, ChangesInPlaceAreSeen) {
  const Inputs in = some_inputs();
  const auto edges = edges_with(7);
  const Pattern pattern = Pattern::graph(edges);
  expect_right(in, pattern);
  edges.columns.copy_(edges_with(9).columns);
  expect_right(in, pattern);
  // Behind torch's back, where no version counter moves.
  const auto other = edges_with(11).columns;
  std::memcpy(edges.columns.data_ptr(), other.const_data_ptr(), other.nbytes());
  expect_right(in, pattern);
}

TEST(GraphColumns, ChangesThatAreWrongAreNamed) {
  const Inputs in = some_inputs();
  const auto edges = edges_with(7);
  const Pattern pattern = Pattern::graph(edges);
  expect_right(in, pattern);
  edges.columns[4].fill_(kNodes);
  EXPECT_THROW(attention(in.query, in.key, in.value, {.pattern = pattern}), UsageError);
}

TEST(GraphColumns, DieWithTheirTensors) {
  const int64_t before = graph_columns_summary().graphs;
  {
    const auto edges = edges_with(13);
    expect_right(some_inputs(), Pattern::graph(edges));
    EXPECT_EQ(graph_columns_summary().graphs, before + 1);
  }
  EXPECT_EQ(graph_columns_summary().graphs, before);
}

}  // namespace
}  // namespace heed
