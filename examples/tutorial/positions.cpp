// Attention does not see order. Positions put it in.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/attention/positions.h"
#include "show.h"

int main() {
  // Sines and cosines, each pair slower than the one before it.
  const at::Tensor table = heed::nn::sinusoidal_positions(6, 8);
  show("the first 6 positions of size 8", table);
  show("products of position 0 with all: near ones are alike", table.matmul(table[0]));

  at::manual_seed(1);
  const heed::nn::MultiHeadAttention attention({.d_model = 8, .num_heads = 2});
  const heed::nn::SinusoidalPositions positions({.max_length = 16, .d_model = 8});
  const at::Tensor words = at::randn({1, 3, 8});  // "dog bites man"
  const at::Tensor swapped = words.flip(1);       // "man bites dog"
  const auto differ = [&](const at::Tensor& a, const at::Tensor& b) {
    // What "bites" in the middle has become.
    const at::Tensor both = attention.forward(a).select(1, 1) - attention.forward(b).select(1, 1);
    return both.abs().max().item<double>() > 1e-5 ? "differ" : "are the same";
  };
  std::cout << "without positions \"dog bites man\" and \"man bites dog\" "
            << differ(words, swapped) << '\n'
            << "with positions they "
            << differ(positions.forward(words), positions.forward(swapped)) << '\n';
}
