// A running average of the weights over the steps, which often validates better than the last
// weights and never depends on where a run happens to end.      Polyak & Juditsky 1992; Tarvainen &
//                                                                Valpola 2017, eq. 1
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace heed::training {

class WeightAverage {
 public:
  // `decay` from 0 (off: the average is the last weights) up to but not including 1. Throws
  // UsageError otherwise.
  WeightAverage(std::vector<at::Tensor> parameters, double decay);

  bool is_on() const { return decay_ > 0; }

  // average = d · average + (1 − d) · weights, after each step. Early on d is smaller, so that the
  // first weights are soon forgotten: min(decay, (1 + n) / (10 + n)) at step n.
  void update();

  // Exchanges the weights and their average; called in pairs around validation and saving.
  void swap();

  // What a checkpoint holds of it.
  std::vector<at::Tensor>& averages() { return average_; }  // one a parameter; none if it is off
  int64_t steps() const { return steps_; }
  void restore_steps(int64_t steps) { steps_ = steps; }

 private:
  double decay_;
  int64_t steps_ = 0;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> average_;
};

// While it lives, the model has the averaged weights: those that are validated and saved.
class AveragedWeights {
 public:
  explicit AveragedWeights(WeightAverage& average) : average_(average) { average_.swap(); }
  ~AveragedWeights() { average_.swap(); }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage& average_;
};

}  // namespace heed::training
