#include "heed/training/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <set>
#include <utility>

#include "heed/base/error.h"
#include "heed/ops/sharing.h"
#include "heed/training/tensor_pieces.h"

namespace heed::training {
namespace {

void multiply(const std::vector<at::Tensor>& tensors, double factor) {
  for_each_piece({tensors},
                 [&](const TensorLists& piece, size_t) { at::_foreach_mul_(piece[0], factor); });
}

double joint_norm(const std::vector<at::Tensor>& tensors) {
  double elements = 0;
  for (const at::Tensor& tensor : tensors) elements += static_cast<double>(tensor.numel());
  std::vector<at::Tensor> norms(tensors.size());
  for_each_task(std::ssize(tensors), 2 * elements, [&](int64_t i) {
    const c10::AutoGradMode no_gradients(false);
    norms[static_cast<size_t>(i)] = tensors[static_cast<size_t>(i)].norm();
  });
  return at::stack(norms).norm().item<double>();
}

}  // namespace

struct Optimizer::Live {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  std::vector<double> rates;

  Live with_rate(double rate) const;
};

std::vector<std::string> optimizer_names() { return {"adam", "adamw", "sgd"}; }

double weight_decay_of(const OptimizerOptions& options) {
  return options.weight_decay.value_or(options.name == "adamw" ? 0.01 : 0);
}

void check(const OptimizerOptions& options) { visit_fields(options, nn::FieldCheck()); }

Optimizer::Optimizer(std::vector<at::Tensor> parameters, const OptimizerOptions& options,
                     std::vector<double> rates)
    : options_(options), parameters_(std::move(parameters)), rates_(std::move(rates)) {
  check(options_);
  rates_.resize(parameters_.size(), 1);
  for (const at::Tensor& parameter : parameters_) {
    first_.push_back(at::zeros_like(parameter));
    if (options_.name != "sgd") second_.push_back(at::zeros_like(parameter));
    steps_.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
  }
}

void Optimizer::zero_gradients() {
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters_) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

void Optimizer::scale_gradients(double factor) {
  const c10::AutoGradMode no_gradients(false);
  const auto all = gradients();
  multiply(all, factor);
}

void Optimizer::add_penalties() {
  if (options_.l1 == 0 && options_.l2 == 0) return;
  const c10::AutoGradMode no_gradients(false);
  const Live now = live();
  if (now.parameters.empty()) return;
  if (options_.l1 > 0) {
    at::_foreach_add_(now.gradients, at::_foreach_sign(now.parameters), options_.l1);
  }
  if (options_.l2 > 0) at::_foreach_add_(now.gradients, now.parameters, 2 * options_.l2);
}

// Of whole gradients each counts once, of the others each part does.
double Optimizer::gradient_norm() const {
  if (!parts_.sum) return joint_norm(gradients());
  double whole = 0;
  double here = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    const auto norm = parameters_[i].grad().norm().item<double>();
    (parts_.is_part[i] ? here : whole) += norm * norm;
  }
  return std::sqrt(whole + parts_.sum(here));
}

double Optimizer::clip_gradients(double largest) {
  const c10::AutoGradMode no_gradients(false);
  const auto all = gradients();
  if (all.empty()) return 0;
  const double norm = gradient_norm();
  if (largest > 0 && norm > largest && std::isfinite(norm)) multiply(all, largest / norm);
  return norm;
}

void Optimizer::for_each_state(const std::function<void(const char*, size_t, at::Tensor&)>& visit) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    visit("first", i, first_[i]);
    if (!second_.empty()) visit("second", i, second_[i]);
    visit("steps", i, steps_[i]);
  }
}

Optimizer::Live Optimizer::live() const {
  Live live;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    live.parameters.push_back(parameters_[i]);
    live.gradients.push_back(parameters_[i].grad());
    live.first.push_back(first_[i]);
    if (!second_.empty()) live.second.push_back(second_[i]);
    live.steps.push_back(steps_[i]);
    live.rates.push_back(rates_[i]);
  }
  return live;
}

Optimizer::Live Optimizer::Live::with_rate(double rate) const {
  Live some;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (rates[i] != rate) continue;
    some.parameters.push_back(parameters[i]);
    some.gradients.push_back(gradients[i]);
    some.first.push_back(first[i]);
    if (!second.empty()) some.second.push_back(second[i]);
    some.steps.push_back(steps[i]);
  }
  return some;
}

void Optimizer::step(double learning_rate) {
  const c10::AutoGradMode no_gradients(false);
  const Live now = live();
  if (now.parameters.empty()) return;
  at::_foreach_add_(now.steps, 1);
  const std::set<double> rates(now.rates.begin(), now.rates.end());
  for (const double rate : rates) {
    step(rates.size() == 1 ? now : now.with_rate(rate), rate * learning_rate);
  }
  // The fused updates do not say that they changed a tensor, which packed copies of it go by.
  for (const at::Tensor& parameter : now.parameters) {
    parameter.unsafeGetTensorImpl()->bump_version();
  }
}

void Optimizer::step(const Live& now, double learning_rate) const {
  const OptimizerOptions& o = options_;
  const double weight_decay = weight_decay_of(o);
  TensorLists lists = {now.parameters, now.gradients, now.first};
  if (o.name != "sgd") lists.push_back(now.second);
  for_each_piece(lists, [&](const TensorLists& piece, size_t first) {
    const auto steps = at::TensorList(now.steps).slice(first, piece[0].size());
    if (o.name == "sgd") {
      // The momentum starts at zero, which is what a first step without it would leave behind.
      // Where there is none, torch takes no buffers for it.
      at::_fused_sgd_(piece[0], piece[1], o.momentum == 0 ? at::TensorList() : piece[2],
                      weight_decay, o.momentum, learning_rate,
                      /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                      /*is_first_step=*/false);
    } else if (o.name == "adamw") {
      at::_fused_adamw_(piece[0], piece[1], piece[2], piece[3], {}, steps, learning_rate, o.beta1,
                        o.beta2, weight_decay, o.epsilon, /*amsgrad=*/false, /*maximize=*/false);
    } else {
      at::_fused_adam_(piece[0], piece[1], piece[2], piece[3], {}, steps, learning_rate, o.beta1,
                       o.beta2, weight_decay, o.epsilon, /*amsgrad=*/false, /*maximize=*/false);
    }
  });
  // The fused updates do not say that they changed a tensor, which packed copies of it go by.
  for (const at::Tensor& parameter : now.parameters) {
    parameter.unsafeGetTensorImpl()->bump_version();
  }
}

}  // namespace heed::training
