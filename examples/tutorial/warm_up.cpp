// Two things that keep the first steps of a transformer from going wrong: a learning rate that
// rises slowly, and gradients that are cut where they are too long.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/training/optimizer.h"
#include "heed/training/schedule.h"
#include "show.h"

int main() {
  using heed::training::learning_rate;
  for (const char* name : {"linear", "cosine", "inverse_sqrt"}) {
    std::cout << name << ":";
    for (int64_t step = 0; step < 20; step += 2) {
      const double rate =
          learning_rate({.name = name, .peak = 1, .warmup_steps = 4, .total_steps = 20}, step);
      std::cout << ' ' << rounded(rate);
    }
    std::cout << '\n';
  }

  // A gradient of (30, 40) is 50 long; clipped to 1 it keeps its direction.
  at::Tensor weight = at::zeros({2}).requires_grad_();
  heed::training::Optimizer optimizer({weight}, {.name = "sgd", .momentum = 0});
  (weight * at::tensor({30.F, 40.F})).sum().backward();
  const double norm = optimizer.clip_gradients(1);
  std::cout << "norm before clipping: " << rounded(norm) << '\n';
  show("gradient after it", weight.grad());
  optimizer.step(0.1);
  show("weight after a step of 0.1", weight);
}
