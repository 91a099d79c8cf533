// A layer of an encoder: attention and feed-forward, each added to what came in.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn/transformer/encoder_layer.h"
#include "show.h"

int main() {
  at::manual_seed(1);
  const heed::nn::LayerOptions options{
      .d_model = 16, .num_heads = 4, .d_ff = 64, .norm_first = true};
  const heed::nn::EncoderLayer layer(options);
  const at::Tensor x = at::randn({2, 5, 16});
  const at::Tensor y = layer.forward(x);
  std::cout << x.sizes() << " -> " << y.sizes() << '\n';

  // What it does, written out.
  const at::Tensor seen = x + layer.attention->forward(layer.attention_norm.forward(x));
  const at::Tensor by_hand =
      seen + layer.feed_forward->forward(layer.feed_forward_norm.forward(seen));
  std::cout << "the same by hand: " << (at::allclose(y, by_hand, 1e-4, 1e-5) ? "yes" : "no")
            << '\n';

  int64_t count = 0;
  for (const auto& parameter : layer.named_parameters()) {
    std::cout << parameter.key() << ' ' << parameter.value().sizes() << '\n';
    count += parameter.value().numel();
  }
  std::cout << count << " weights\n";
}
