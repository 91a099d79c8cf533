// One head of attention, step by step, with numbers that can be followed on paper.
#include <ATen/ATen.h>

#include "heed/attention.h"
#include "show.h"

int main() {
  const std::vector<std::string> words = {"the", "cat", "sat"};
  const at::Tensor x = at::tensor({1., 0., 0., 1., 1., 1.}).view({3, 2}).to(at::kFloat);

  // What a word asks for, what it offers, and what it says: three products.
  const at::Tensor query_weight = at::tensor({1., 0., 0., 1.}).view({2, 2}).to(at::kFloat);
  const at::Tensor key_weight = at::tensor({1., 0., 0., 1.}).view({2, 2}).to(at::kFloat);
  const at::Tensor value_weight = at::tensor({1., 0., 0., 2.}).view({2, 2}).to(at::kFloat);
  const at::Tensor query = x.matmul(query_weight);
  const at::Tensor key = x.matmul(key_weight);
  const at::Tensor value = x.matmul(value_weight);
  show("values", value, words);

  const at::Tensor scores = query.matmul(key.t()) / std::sqrt(2.0);  // √D, D = 2
  show("scores: query · key / √2", scores, words);
  const at::Tensor weights = scores.softmax(-1);  // each row sums to 1
  show("weights: softmax of each row", weights, words);
  const at::Tensor output = weights.matmul(value);
  show("output: weights · values", output, words);

  // The same in one call. It takes (batch, heads, tokens, size) and never makes the 3 × 3 matrix.
  const auto fused =
      heed::attention(query.view({1, 1, 3, 2}), key.view({1, 1, 3, 2}), value.view({1, 1, 3, 2}));
  show("heed::attention", fused.output.view({3, 2}), words);
}
