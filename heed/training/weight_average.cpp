#include "heed/training/weight_average.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/training/tensor_pieces.h"

namespace heed::training {

WeightAverage::WeightAverage(std::vector<at::Tensor> parameters, double decay)
    : decay_(decay), parameters_(std::move(parameters)) {
  check_usage(decay >= 0 && decay < 1,
              "ema_decay: expected one from 0 up to but not including 1, got ", decay);
  if (!is_on()) return;
  for (const at::Tensor& parameter : parameters_) average_.push_back(parameter.detach().clone());
}

void WeightAverage::update() {
  if (!is_on()) return;
  const auto n = static_cast<double>(++steps_);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  for_each_piece({average_, parameters_}, [&](const TensorLists& piece, size_t) {
    at::_foreach_lerp_(piece[0], piece[1], 1 - decay);
  });
}

void WeightAverage::swap() {
  if (!is_on()) return;
  const c10::AutoGradMode no_gradients(false);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor kept = parameters_[i].detach().clone();
    parameters_[i].copy_(average_[i]);
    average_[i].copy_(kept);
  }
}

}  // namespace heed::training
