// What tests of tasks share: a few updates, and what validate() must give.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "heed/tasks/common/task.h"

namespace heed::tasks {

// Steps on one batch of these examples, with momentum; the module is in evaluation mode afterwards.
inline void learn(Task& task, const std::vector<int64_t>& examples, int steps) {
  std::vector<at::Tensor> momentum;
  for (int step = 0; step < steps; ++step) {
    task.module().zero_grad();
    task.loss(*task.prepare(examples)).value.backward();
    const c10::AutoGradMode no_gradients(false);
    size_t i = 0;
    for (at::Tensor& p : task.module().parameters()) {
      if (!p.requires_grad()) continue;  // a constant
      if (momentum.size() == i) momentum.push_back(at::zeros_like(p));
      momentum[i].mul_(0.9).add_(p.grad());
      p.sub_(momentum[i++], 0.02);
    }
  }
  task.module().eval();
}

// `watchable`: that of the task. Of a loss the lowest is the best, whatever the task.
inline void expect_all(const std::vector<Watched>& watchable, const Metrics& metrics) {
  for (const Watched& each : watchable) {
    EXPECT_NO_THROW(metric(metrics, each.name)) << each.name;
    if (each.name == "loss") {
      EXPECT_FALSE(each.higher_is_better);
    }
  }
}

}  // namespace heed::tasks
