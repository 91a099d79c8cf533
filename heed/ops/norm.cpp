#include "heed/ops/norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>

#include "heed/base/error.h"
#include "heed/kernels/elementwise/norm.h"
#include "heed/ops/dense/plain_tensor.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using kernels::NormFormula;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Norm {
  NormFormula kind = NormFormula::kLayer;
  double epsilon = 0;
};

struct Operands {
  at::Tensor x, residual, weight, bias;
};

TensorText sizes_of(const at::Tensor& t) { return {t}; }

void check_operands(const char* name, const Operands& in, double epsilon) {
  check_usage(std::isfinite(epsilon) && epsilon >= 0, name, ": eps ", epsilon,
              " must be 0 or more");
  check_usage(in.x.defined() && in.x.dim() >= 1, name, ": expected an input of (..., C), got ",
              sizes_of(in.x));
  for (const at::Tensor* t : {&in.residual, &in.weight, &in.bias}) {
    check_usage(!t->defined() || t->device() == in.x.device(), name,
                ": expected everything on the device of the input, ", TensorText{in.x, true},
                ", got ", TensorText{*t, true});
  }
  check_usage(!in.residual.defined() || in.residual.sizes() == in.x.sizes(), name,
              ": expected a residual of the input's sizes ", sizes_of(in.x), ", got ",
              sizes_of(in.residual));
  const int64_t width = in.x.size(-1);
  for (const at::Tensor* t : {&in.weight, &in.bias}) {
    check_usage(!t->defined() || (t->dim() == 1 && t->size(0) == width), name,
                ": expected a weight and a bias of (", width, ") for an input of ", sizes_of(in.x),
                ", got ", sizes_of(*t));
  }
}

bool is_own(const Operands& in) {
  for (const at::Tensor* t : {&in.x, &in.residual, &in.weight, &in.bias}) {
    if (t->defined() && !is_plain(*t)) return false;
  }
  return in.x.numel() > 0;
}

// By torch's operators.
at::Tensor normalise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     const Norm& norm) {
  const auto optional = [](const at::Tensor& t) {
    return t.defined() ? std::make_optional(t) : std::nullopt;
  };
  if (norm.kind == NormFormula::kLayer) {
    return at::layer_norm(x, {x.size(-1)}, optional(weight), optional(bias), norm.epsilon);
  }
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + norm.epsilon);
  const at::Tensor result = wide * scale;
  return (weight.defined() ? result * weight : result).to(x.scalar_type());
}

kernels::ConstRows read(const at::Tensor& t) {
  if (!t.defined()) return {};
  return {t.const_data_ptr(), data_type_of(t)};
}
kernels::MutableRows write(const at::Tensor& t) {
  if (!t.defined()) return {};
  return {t.mutable_data_ptr(), data_type_of(t)};
}
const float* floats(const at::Tensor& t) {
  return t.defined() ? t.const_data_ptr<float>() : nullptr;
}

kernels::NormSizes sizes_of(const Norm& norm, const at::Tensor& x) {
  return {norm.kind, x.numel() / x.size(-1), x.size(-1)};
}

struct NormForward {
  at::Tensor sum, output, mean, scale;
};

NormForward forward_rows(const Operands& in, const Norm& norm) {
  const at::Tensor x = in.x.contiguous();
  const at::Tensor residual = in.residual.defined() ? in.residual.contiguous() : at::Tensor();
  const at::Tensor weight = as_float_row(in.weight), bias = as_float_row(in.bias);
  const auto type = residual.defined() ? at::promote_types(x.scalar_type(), residual.scalar_type())
                                       : x.scalar_type();
  const auto options = x.options().dtype(type).requires_grad(false);
  const auto sizes = sizes_of(norm, x);
  NormForward f;
  f.output = at::empty(x.sizes(), options);
  if (residual.defined()) f.sum = at::empty(x.sizes(), options);
  if (norm.kind == NormFormula::kLayer) f.mean = at::empty({sizes.rows}, options.dtype(at::kFloat));
  f.scale = at::empty({sizes.rows}, options.dtype(at::kFloat));
  kernels::norm_forward({.sizes = sizes,
                         .x = read(x),
                         .residual = read(residual),
                         .weight = floats(weight),
                         .bias = floats(bias),
                         .epsilon = static_cast<float>(norm.epsilon),
                         .sum = write(f.sum),
                         .output = write(f.output),
                         .mean = f.mean.defined() ? f.mean.mutable_data_ptr<float>() : nullptr,
                         .scale = f.scale.mutable_data_ptr<float>()},
                        OperatorWorkers());
  return f;
}

struct Saved {
  at::Tensor s, weight, bias, mean, scale;
};
struct NormWanted {
  bool weight = false;
  bool bias = false;
};
struct NormGradients {
  at::Tensor s, weight, bias;
};

NormGradients backward_rows(const Saved& saved, const Norm& norm, const at::Tensor& grad_sum,
                            const at::Tensor& grad_output, const NormWanted& wanted) {
  const at::Tensor s = saved.s.contiguous();
  const at::Tensor weight = as_float_row(saved.weight);
  const at::Tensor by_output = grad_output.contiguous();
  const at::Tensor by_sum = grad_sum.defined() ? grad_sum.contiguous() : at::Tensor();
  const auto options = s.options().requires_grad(false);
  NormGradients g;
  g.s = at::empty(s.sizes(), options);
  const auto row = [&] { return at::empty({s.size(-1)}, options.dtype(at::kFloat)); };
  if (wanted.weight) g.weight = row();
  if (wanted.bias) g.bias = row();
  kernels::norm_backward(
      {.sizes = sizes_of(norm, s),
       .s = read(s),
       .grad_output = read(by_output),
       .grad_sum = read(by_sum),
       .weight = floats(weight),
       .mean = floats(saved.mean),
       .scale = floats(saved.scale),
       .grad_s = write(g.s),
       .grad_weight = wanted.weight ? g.weight.mutable_data_ptr<float>() : nullptr,
       .grad_bias = wanted.bias ? g.bias.mutable_data_ptr<float>() : nullptr},
      OperatorWorkers());
  if (wanted.weight) g.weight = g.weight.to(saved.weight.scalar_type());
  if (wanted.bias) g.bias = g.bias.to(saved.bias.scalar_type());
  return g;
}

// The same by torch's operators, which can be differentiated again.
NormGradients differentiable_backward(const Saved& saved, const Norm& norm,
                                      const at::Tensor& grad_sum, const at::Tensor& grad_output,
                                      const NormWanted& wanted) {
  at::Tensor x = saved.s.to(at::kFloat);
  const at::Tensor grad = grad_output.to(at::kFloat);
  const bool centred = norm.kind == NormFormula::kLayer;
  if (centred) x = x - x.mean(-1, /*keepdim=*/true);
  const at::Tensor scale = at::rsqrt(x.square().mean(-1, /*keepdim=*/true) + norm.epsilon);
  const at::Tensor unit = x * scale;
  const at::Tensor g = saved.weight.defined() ? grad * saved.weight.to(at::kFloat) : grad;
  at::Tensor by_output = g - unit * (g * unit).mean(-1, /*keepdim=*/true);
  if (centred) by_output = by_output - g.mean(-1, /*keepdim=*/true);
  by_output = by_output * scale;
  NormGradients result;
  result.s = (grad_sum.defined() ? by_output + grad_sum : by_output).to(saved.s.scalar_type());
  const int64_t width = x.size(-1);
  if (wanted.weight) {
    result.weight = (grad * unit).reshape({-1, width}).sum(0).to(saved.weight.scalar_type());
  }
  if (wanted.bias) result.bias = grad.reshape({-1, width}).sum(0).to(saved.bias.scalar_type());
  return result;
}

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  // {sum, normalised}, or {normalised} without a residual.
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x,
                               const std::optional<at::Tensor>& residual,
                               const std::optional<at::Tensor>& weight,
                               const std::optional<at::Tensor>& bias, int64_t kind,
                               double epsilon) {
    const Norm norm{static_cast<NormFormula>(kind), epsilon};
    const Operands in{x, residual.value_or(at::Tensor()), weight.value_or(at::Tensor()),
                      bias.value_or(at::Tensor())};
    const NormForward f = forward_rows(in, norm);
    ctx->save_for_backward({f.sum.defined() ? f.sum : x, in.weight, in.bias, f.mean, f.scale});
    ctx->saved_data["kind"] = kind;
    ctx->saved_data["epsilon"] = epsilon;
    ctx->saved_data["x_type"] = static_cast<int64_t>(x.scalar_type());
    ctx->saved_data["residual_type"] =
        static_cast<int64_t>(residual ? residual->scalar_type() : x.scalar_type());
    ctx->set_materialize_grads(false);
    return f.sum.defined() ? variable_list{f.sum, f.output} : variable_list{f.output};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list kept = ctx->get_saved_variables();
    const Saved saved{kept[0], kept[1], kept[2], kept[3], kept[4]};
    const Norm norm{static_cast<NormFormula>(ctx->saved_data["kind"].toInt()),
                    ctx->saved_data["epsilon"].toDouble()};
    const bool with_sum = grads.size() == 2;
    const at::Tensor grad_sum = with_sum ? grads[0] : at::Tensor();
    const at::Tensor grad_output = grads.back();
    // Inputs that are not there are not counted.
    size_t next = with_sum ? 2 : 1;
    NormWanted wanted;
    if (saved.weight.defined()) wanted.weight = ctx->needs_input_grad(next++);
    if (saved.bias.defined()) wanted.bias = ctx->needs_input_grad(next);
    NormGradients g;
    if (!grad_output.defined()) {
      g.s = grad_sum;
    } else if (at::GradMode::is_enabled()) {
      g = differentiable_backward(saved, norm, grad_sum, grad_output, wanted);
    } else {
      g = backward_rows(saved, norm, grad_sum, grad_output, wanted);
    }
    const auto as = [&](const char* name) {
      return g.s.defined() ? g.s.to(static_cast<at::ScalarType>(ctx->saved_data[name].toInt()))
                           : g.s;
    };
    return {as("x_type"), with_sum ? as("residual_type") : at::Tensor(), g.weight, g.bias, {}, {}};
  }
};

variable_list run(const char* name, const Operands& in, const Norm& norm) {
  check_operands(name, in, norm.epsilon);
  if (!is_own(in)) {
    const at::Tensor s = in.residual.defined() ? in.x + in.residual : in.x;
    return {s, normalise(s, in.weight, in.bias, norm)};
  }
  bool differentiates = false;
  for (const at::Tensor* t : {&in.x, &in.residual, &in.weight, &in.bias}) {
    differentiates |= t->defined() && t->requires_grad();
  }
  if (!differentiates || !at::GradMode::is_enabled()) {
    const NormForward f = forward_rows(in, norm);
    return {f.sum, f.output};
  }
  const auto optional = [](const at::Tensor& t) {
    return t.defined() ? std::make_optional(t) : std::nullopt;
  };
  return NormFunction::apply(in.x, optional(in.residual), optional(in.weight), optional(in.bias),
                             static_cast<int64_t>(norm.kind), norm.epsilon);
}

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double epsilon) {
  return run("layer_norm", {x, {}, weight, bias}, {NormFormula::kLayer, epsilon}).back();
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  return run("rms_norm", {x, {}, weight, {}}, {NormFormula::kRootMeanSquare, epsilon}).back();
}

ResidualNorm add_layer_norm(const at::Tensor& x, const at::Tensor& residual,
                            const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
  check_usage(residual.defined(), "add_layer_norm: expected a residual, got none");
  const auto both =
      run("add_layer_norm", {x, residual, weight, bias}, {NormFormula::kLayer, epsilon});
  return {both[0], both[1]};
}

ResidualNorm add_rms_norm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight,
                          double epsilon) {
  check_usage(residual.defined(), "add_rms_norm: expected a residual, got none");
  const auto both =
      run("add_rms_norm", {x, residual, weight, {}}, {NormFormula::kRootMeanSquare, epsilon});
  return {both[0], both[1]};
}

}  // namespace heed
