// Adam, AdamW and SGD over all parameters of a module, by torch's fused update kernels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heed/nn/fields.h"

namespace heed::training {

struct OptimizerOptions {
  std::string name = "adamw";  // "adam", "adamw" or "sgd"
  // Decoupled in adamw, added to the gradient (L2) in adam and sgd; none: 0.01 in adamw, 0 in the
  // others.
  std::optional<double> weight_decay = {};
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum = 0.9;  // of sgd
  double l1 = 0;          // penalty l1 · Σ|w| on the loss, over all parameters
  double l2 = 0;          // penalty l2 · Σw² on the loss
};

std::vector<std::string> optimizer_names();

double weight_decay_of(const OptimizerOptions& options);

constexpr nn::Field training_field(nn::Field field) {
  field.group = "Training";
  return field;
}

template <nn::OptionsOf<OptimizerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto penalty = [&](const char* name, const char* help) {
    return training_field({.name = name, .help = help, .most = 1e9});
  };
  const auto rate = [&](const char* name, const char* help) {
    return training_field({.name = name, .help = help, .most = 1, .below = true});
  };
  visit(training_field({.name = "optimizer", .help = "Update rule", .choices = optimizer_names}),
        o.name);
  visit(penalty("weight_decay",
                "Weight decay, towards zero; the default is that of adamw, the others have none "
                "unless it "
                "is given"),
        o.weight_decay);
  visit(penalty("l1", "Penalty: this times the sum of absolute weights"), o.l1);
  visit(penalty("l2", "Penalty: this times the sum of squared weights"), o.l2);
  visit(rate("beta1", "Adam: decay rate of the mean gradient"), o.beta1);
  visit(rate("beta2", "Adam: decay rate of the mean square"), o.beta2);
  visit(training_field({.name = "epsilon",
                        .help = "Adam: added to the denominator",
                        .most = 1e9,
                        .above = true}),
        o.epsilon);
  visit(rate("momentum", "SGD: decay rate of the mean gradient"), o.momentum);
}

// Throws UsageError naming the option that cannot be used.
void check(const OptimizerOptions& options);

// Adam: Kingma & Ba 2015, algorithm 1. AdamW: Loshchilov & Hutter 2019, algorithm 2.
class Optimizer {
 public:
  // `rates`: what the learning rate of each parameter is multiplied by; none: by one. Throws
  // UsageError where an option cannot be used.
  Optimizer(std::vector<at::Tensor> parameters, const OptimizerOptions& options,
            std::vector<double> rates = {});

  // Forgets the gradients of all parameters.
  void zero_gradients();

  // Multiplies all gradients.
  void scale_gradients(double factor);

  // Adds the gradients of the penalties. A parameter without a gradient has none to add to.
  void add_penalties();

  // Of a model that several processes hold together: whose gradients are parts, and the sum of a
  // number over those processes.
  struct Parts {
    std::vector<bool> is_part;  // of each parameter
    std::function<double(double)> sum;
  };
  void set_parts(Parts parts) { parts_ = std::move(parts); }

  // Scales the gradients down so that their joint norm is at most `largest`, and returns what it
  // was. 0: no limit. Gradients whose norm is not finite stay as they are.
  double clip_gradients(double largest);

  // One update of all parameters that have a gradient.
  void step(double learning_rate);

  // Every tensor that outlives a step: its kind ("first"), the parameter's number, the tensor. For
  // checkpoints, which write to them too.
  void for_each_state(
      const std::function<void(const char* kind, size_t parameter, at::Tensor& state)>& visit);

 private:
  // Parameters that have a gradient, and the state that belongs to them.
  struct Live;
  Live live() const;
  void step(const Live& now, double learning_rate) const;
  std::vector<at::Tensor> gradients() const;
  double gradient_norm() const;

  OptimizerOptions options_;
  Parts parts_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> first_;   // Adam's first moments, SGD's momentum
  std::vector<at::Tensor> second_;  // Adam's second moments
  std::vector<double> rates_;       // of each parameter, relative to the learning rate
  std::vector<at::Tensor> steps_;   // updates of each parameter so far, float32 scalars
};

}  // namespace heed::training
