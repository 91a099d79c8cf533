// Causal self-attention in a project of its own.
#include <ATen/Functions.h>

#include <iostream>

#include "heed/heed.h"

int main() {
  const at::Tensor x = at::randn({1, 4, 128, 64});  // batch, heads, length, head size
  const auto result = heed::attention(x, x, x, {.pattern = heed::Pattern::causal()});
  std::cout << "heed " << heed::version() << ": " << result.output.sizes() << " attended\n";
}
