// What may not be seen: the future of a language model, and the padding of a batch.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/attention.h"
#include "show.h"

int main() {
  using heed::Pattern;
  at::manual_seed(1);
  const at::Tensor x = at::randn({2, 1, 4, 8});
  const auto weights = [&](const Pattern& pattern) {
    return heed::attention_weights(x, x, {.pattern = pattern});
  };
  show("causal, text 0: a row for each query", weights(Pattern::causal())[0][0]);

  // Two texts of 4 and 2 tokens in one batch.
  const at::Tensor lengths = at::tensor({4, 2}, at::kLong);
  const Pattern padded = Pattern::padded({.key = lengths, .query = lengths});
  show("padded, text 1", weights(padded)[1][0]);
  show("causal & padded, text 1", weights(Pattern::causal() & padded)[1][0]);

  // Whatever stands in the padding, not even infinity or NaN, reaches a result.
  at::Tensor broken = x.clone();
  broken[1].slice(1, 2).fill_(std::numeric_limits<float>::quiet_NaN());
  const at::Tensor clean = heed::attention(x, x, x, {.pattern = padded}).output;
  const at::Tensor same = heed::attention(broken, broken, broken, {.pattern = padded}).output;
  std::cout << "NaN in the padding changes a result: " << (clean.equal(same) ? "no" : "yes")
            << '\n';
}
