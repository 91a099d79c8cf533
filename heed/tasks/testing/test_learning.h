// What tests of tasks share: a few updates, and what validate() must give.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
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

// The loss of the examples 0, 1, … of these classes, learnt with --class-weight balanced, is the
// mean of the loss of each by the weight of its class: the number of all by that of its class.
inline void expect_balanced(Task& task, const std::vector<int64_t>& classes) {
  task.module().eval();
  const c10::AutoGradMode no_gradients(false);
  const auto loss_of = [&](std::vector<int64_t> examples) {
    return task.loss(*task.prepare(std::move(examples))).value.item<double>();
  };
  std::vector<int64_t> all;
  double sum = 0, weights = 0, plain = 0;
  for (const int64_t label : classes) {
    const auto count = std::count(classes.begin(), classes.end(), label);
    const double weight = 1 / static_cast<double>(count);
    all.push_back(std::ssize(all));
    const double alone = loss_of({all.back()});
    sum += weight * alone;
    weights += weight;
    plain += alone / static_cast<double>(classes.size());
  }
  EXPECT_NEAR(loss_of(all), sum / weights, 1e-5);
  EXPECT_GT(std::abs(plain - sum / weights), 1e-3) << "without weights it would be the same";
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
