// Several heads look for several things at once: each has a part of the width to itself.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn/attention/multi_head_attention.h"
#include "show.h"

int main() {
  at::manual_seed(1);
  const heed::nn::MultiHeadAttention attention({.d_model = 8, .num_heads = 2});
  const at::Tensor x = at::randn({1, 4, 8});  // batch, tokens, d_model

  heed::nn::AttentionTrace trace;  // asks the layer to leave its weights behind
  const at::Tensor output = attention.forward(x, heed::Pattern::full(), &trace);
  const at::Tensor weights = trace.weights.at(0);  // batch, heads, tokens, tokens
  std::cout << "x " << x.sizes() << " -> output " << output.sizes() << ", weights "
            << weights.sizes() << '\n';
  show("head 0", weights[0][0]);
  show("head 1", weights[0][1]);

  // By hand: project, cut into heads, attend in each, join, project.
  const auto projected = attention.query_key_value->forward(x).view({1, 4, 3, 2, 4});
  const auto part = [&](int64_t i) { return projected.select(2, i).transpose(1, 2); };
  const at::Tensor mixed = heed::attention(part(0), part(1), part(2)).output;
  const at::Tensor joined = mixed.transpose(1, 2).reshape({1, 4, 8});
  const double difference = (attention.output->forward(joined) - output).abs().max().item<double>();
  std::cout << "the same by hand: " << (difference < 1e-5 ? "yes" : "no") << '\n';
}
