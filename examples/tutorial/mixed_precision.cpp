// Products in bfloat16, weights and sums in float32: half the memory, the same model in the end.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn/transformer/encoder_layer.h"
#include "heed/training/optimizer.h"
#include "heed/training/precision.h"
#include "show.h"

int main() {
  using heed::training::Autocast;
  using heed::training::Precision;
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    at::manual_seed(1);
    heed::nn::EncoderLayer layer({.d_model = 32, .num_heads = 4, .d_ff = 64});
    heed::training::Optimizer optimizer(layer.parameters(), {.name = "adam"});
    const at::Tensor x = at::randn({4, 16, 32});
    const at::Tensor target = at::randn({4, 16, 32});
    at::ScalarType dtype = at::kFloat;
    at::Tensor loss;
    for (int step = 0; step < 30; ++step) {
      {
        const Autocast on(at::kCPU, precision);  // the forward pass alone
        dtype = layer.feed_forward->up->forward(x).scalar_type();
        loss = (layer.forward(x).to(at::kFloat) - target).square().mean();
      }
      optimizer.zero_gradients();
      loss.backward();
      optimizer.step(0.01);
    }
    std::cout << (precision == Precision::kFloat32 ? "float32: " : "bfloat16:") << " products are "
              << dtype << ", weights " << layer.parameters()[0].scalar_type() << ", gradients "
              << layer.parameters()[0].grad().scalar_type() << ", loss after 30 steps "
              << rounded(loss.item<double>(), 1) << '\n';
  }
}
