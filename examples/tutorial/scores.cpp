// How much a query and a key have to do with each other: five ways to say it.
#include <ATen/ATen.h>

#include "heed/attention.h"
#include "show.h"

int main() {
  // One query and three keys of size 2: in its direction, twice as long, and across it.
  const at::Tensor query = at::tensor({1.F, 0.F}).view({1, 1, 1, 2});
  const at::Tensor key = at::tensor({1.F, 0.F, 2.F, 0.F, 0.F, 1.F}).view({1, 1, 3, 2});
  const auto weights = [&](const heed::Score& score) {
    return heed::attention_weights(query, key, {.score = score}).flatten();
  };

  show("dot: q · k = 1, 2, 0", weights(heed::Dot{}));
  show("scaled dot: q · k / √2", weights(heed::ScaledDot{}));
  // Only the direction counts; the temperature, one a head, is learnt.
  show("cosine: 2 · q · k / (|q| |k|)", weights(heed::Cosine{at::tensor({2.F})}));
  // v is learnt, a vector for each head: Σ v tanh(q + k).
  show("additive: v · tanh(q + k), v = (1, 1)", weights(heed::Additive{at::ones({1, 2})}));
  // That of graph attention: a slope of 1, and of 0.2 below zero. Scores of your own have a name
  // too.
  show("leaky: v · LeakyReLU(q + k), v = (1, 1)",
       weights(heed::NamedScore{"leaky", at::ones({1, 2})}));
}
