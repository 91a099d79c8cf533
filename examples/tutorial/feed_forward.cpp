// What stands behind attention in each layer: two products with a bend between them, the same for
// each token by itself.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn/layers/feed_forward.h"
#include "show.h"

int main() {
  const heed::nn::FeedForward layer({.d_model = 2, .d_ff = 4});
  {
    const at::NoGradGuard none;
    layer.up->weight.copy_(at::tensor({1., 0., 0., 1., -1., 0., 0., -1.}).view({4, 2}));
    layer.down->weight.copy_(at::tensor({1., 0., 1., 0., 0., 1., 0., 1.}).view({2, 4}));
    layer.up->bias.zero_();
    layer.down->bias.zero_();
  }
  const at::Tensor x = at::tensor({3., -2., -1., 0.5}).view({1, 2, 2}).to(at::kFloat);
  show("x, two tokens", x);
  show("up to 4, ReLU", layer.up->forward(x, heed::Activation::kRelu));
  show("and down to 2: with these weights |x|", layer.forward(x));

  // A gate in place of the bend: down(silu(gate(x)) · up(x)), as in Llama.
  const heed::nn::FeedForward gated(
      {.d_model = 2, .d_ff = 4, .kind = heed::nn::feed_forward_kind_from("swiglu")});
  std::cout << "SwiGLU: up " << gated.up->weight.sizes() << ", down " << gated.down->weight.sizes()
            << '\n';
}
