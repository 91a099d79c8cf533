// The example of README.md, whole: local, capped, causal attention with dropout, and the gradients
// of everything that went in.
#include <ATen/ATen.h>
#include <heed/ops/attention.h>

#include <iostream>

int main() {
  const at::Tensor query = at::randn({1, 8, 1024, 64}).requires_grad_();
  const at::Tensor key = at::randn({1, 8, 1024, 64}).requires_grad_();
  const at::Tensor value = at::randn({1, 8, 1024, 64}).requires_grad_();

  heed::AttentionResult result = heed::attention(
      query, key, value,
      {
          .score = heed::ScaledDot{},
          .pattern = heed::Pattern::causal() & heed::Pattern::window({.left = 127, .right = 0}),
          .softcap = 30,
          .dropout = 0.1,
          .dropout_seed = 7,
      });
  result.output.sum().backward();  // gradients of everything that went in, without an N × N matrix

  std::cout << "output " << result.output.sizes() << ", log-sum-exp " << result.log_sum_exp.sizes()
            << ", gradient of the keys " << key.grad().sizes() << '\n';
}
