// Each token's features brought to mean 0 and deviation 1, so that depth does not blow them up.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn/layers/layer_norm.h"
#include "heed/nn/layers/rms_norm.h"
#include "show.h"

int main() {
  const at::Tensor x =
      at::tensor({1., 2., 3., 4., 100., 200., 300., 400.}).view({2, 4}).to(at::kFloat);
  show("x", x);
  const at::Tensor y = heed::nn::LayerNorm(4).forward(x);
  show("layer norm: (x - mean) / deviation", y);
  std::cout << "the second row was 100 times the first: both are now the same to "
            << rounded((y[0] - y[1]).abs().max().item<double>(), 4) << '\n';
  show("RMS norm: x / root of the mean square", heed::nn::RmsNorm(4).forward(x));
}
