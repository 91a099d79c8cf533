// Two processes train one model: each takes half of the batch, and their gradients are added.
#include <ATen/ATen.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "heed/nn/layers/linear.h"
#include "heed/training/processes/process_group.h"
#include "show.h"

namespace {

// The gradient of the mean square error of a layer over some rows, as a part of `all` rows.
at::Tensor gradient_of(const at::Tensor& x, const at::Tensor& y, int64_t all) {
  at::manual_seed(1);  // the same weights everywhere
  const heed::nn::Linear layer({.in = 3, .out = 1});
  ((layer.forward(x) - y).square().sum() / all).backward();
  return layer.weight.grad();
}

int train(int rank, uint16_t port) {
  const heed::training::Rank me{.rank = rank, .size = 2, .port = port};
  heed::training::ProcessGroup group(me);
  at::manual_seed(7);
  const at::Tensor x = at::randn({8, 3});
  const at::Tensor y = at::randn({8, 1});
  at::Tensor gradient =
      gradient_of(x.slice(0, 4 * rank, 4 * rank + 4), y.slice(0, 4 * rank, 4 * rank + 4), 8);
  const std::vector<at::Tensor> parts = group.gather(gradient);
  group.sum(gradient);
  if (!group.is_first()) return 0;
  show("gradient of process 0", parts[0]);
  show("gradient of process 1", parts[1]);
  show("their sum", gradient);
  show("one process with the whole batch", gradient_of(x, y, 8));
  return 0;
}

}  // namespace

// Takes a port that is free. With torchrun or mpirun, rank_from_environment() says who one is.
int main(int count, char** arguments) {
  const auto port = static_cast<uint16_t>(count > 1 ? std::stoi(arguments[1]) : 29517);
  const pid_t other = fork();  // before torch has threads
  if (other == 0) return train(1, port);
  const int result = train(0, port);
  int status = 0;
  waitpid(other, &status, 0);
  return result + (status == 0 ? 0 : 1);
}
