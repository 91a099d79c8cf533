#include "heed/ops/dense/linear_function.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "heed/kernels/matrix/gemm.h"
#include "heed/ops/dense/packed_weights.h"
#include "heed/ops/dense/plain_tensor.h"
#include "heed/ops/operator_workers.h"

namespace heed {
namespace {

using kernels::GemmActivation;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::DataType data_type(at::ScalarType type) {
  return type == at::kFloat ? kernels::DataType::kFloat32 : kernels::DataType::kBFloat16;
}

GemmActivation gemm_activation(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return GemmActivation::kRelu;
    case Activation::kGelu:
      return GemmActivation::kGelu;
    case Activation::kGeluTanh:
      return GemmActivation::kGeluTanh;
    case Activation::kSilu:
      return GemmActivation::kSilu;
  }
  return GemmActivation::kNone;
}

kernels::MutableMatrix writable(const at::Tensor& t) {
  return {t.mutable_data_ptr(), data_type(t.scalar_type()), t.size(1)};
}

// (..., C) -> (rows, C) with contiguous rows.
at::Tensor as_rows(const at::Tensor& t) {
  const at::Tensor rows = t.dim() == 2 ? t : t.reshape({-1, t.size(-1)});
  return rows.size(1) == 1 || rows.stride(1) == 1 ? rows : rows.contiguous();
}

kernels::ConstMatrix rows_of(const at::Tensor& t) {
  kernels::ConstMatrix m = matrix_of(t);
  m.column_stride = 1;
  m.row_stride = t.stride(0);
  return m;
}

std::vector<int64_t> output_sizes(const at::Tensor& input, int64_t columns) {
  std::vector<int64_t> sizes = input.sizes().vec();
  sizes.back() = columns;
  return sizes;
}

// (rows, K) · (1, K)ᵀ -> (rows, 1): the product with the sides exchanged, as dot products.
void one_column(const at::Tensor& rows, const at::Tensor& column, const at::Tensor& output,
                kernels::GemmEpilogue epilogue) {
  kernels::MutableMatrix c = writable(output);
  c.row_stride = rows.size(0);
  if (epilogue.before_activation.data != nullptr) {
    epilogue.before_activation.row_stride = rows.size(0);
  }
  kernels::few_rows({rows_of(column), rows_of(rows), c, epilogue}, OperatorWorkers());
}

struct LinearForward {
  at::Tensor output;  // (rows, N)
  at::Tensor kept;    // before the activation, if asked for and not known from the output
};

struct Keep {
  bool packed_weight = false;      // the weight does not change: pack it once
  bool before_activation = false;  // for the backward pass
};

LinearForward forward_rows(const LinearProduct& p, const Keep& keep) {
  const OperatorWorkers workers;
  const at::Tensor x = as_rows(p.input).to(p.type);
  const int64_t columns = p.weight.size(0);
  const auto options = x.options().requires_grad(false);
  LinearForward result;
  result.output = empty_in_large_pages({x.size(0), columns}, options);
  const bool to_one_column = columns == 1 && x.size(0) > kernels::kFewRows;
  at::Tensor bias;  // of each column of what is computed
  if (p.bias.defined()) {
    bias = (to_one_column ? p.bias.expand({x.size(0)}) : p.bias).to(at::kFloat).contiguous();
  }

  kernels::GemmEpilogue epilogue;
  if (bias.defined()) epilogue.bias = bias.const_data_ptr<float>();
  epilogue.activation = gemm_activation(p.activation);
  if (keep.before_activation && p.activation != Activation::kNone &&
      p.activation != Activation::kRelu) {
    result.kept = empty_in_large_pages({x.size(0), columns}, options);
    epilogue.before_activation = writable(result.kept);
  }

  const bool weight_fits =
      p.weight.scalar_type() == p.type && (p.weight.size(1) == 1 || p.weight.stride(1) == 1);
  if (x.size(0) <= kernels::kFewRows && weight_fits) {
    kernels::few_rows({rows_of(x), rows_of(p.weight), writable(result.output), epilogue}, workers);
    return result;
  }
  if (to_one_column) {
    one_column(x, p.weight.to(p.type).contiguous(), result.output, epilogue);
    return result;
  }
  const kernels::DataType operand = data_type(p.type);
  kernels::GemmProblem problem{.a = rows_of(x), .c = writable(result.output), .epilogue = epilogue};
  if (keep.packed_weight) {
    const PackedPtr packed = packed_weight(p.weight, operand);
    problem.packed = packed.get();
    kernels::gemm(problem, workers);
  } else {
    const at::Tensor weight = with_contiguous_side(p.weight);
    const kernels::PackedMatrix packed(matrix_of(weight).transposed(), operand, workers);
    problem.packed = &packed;
    kernels::gemm(problem, workers);
  }
  return result;
}

struct LinearWanted {
  bool input = false;
  bool weight = false;
  bool bias = false;
};

struct LinearGradients {
  at::Tensor input;
  at::Tensor weight;
  at::Tensor bias;
};

// The gradient of what the activation got, (rows, N).
at::Tensor through_activation(const at::Tensor& grad, const at::Tensor& kept,
                              Activation activation) {
  if (activation == Activation::kNone) return grad;
  const at::Tensor result = empty_in_large_pages(grad.sizes(), grad.options().requires_grad(false));
  kernels::activation_gradient({.activation = gemm_activation(activation),
                                .type = data_type(grad.scalar_type()),
                                .grad = grad.const_data_ptr(),
                                .x = kept.const_data_ptr(),
                                .grad_before = result.mutable_data_ptr(),
                                .count = grad.numel()},
                               OperatorWorkers());
  return result;
}

// `grad` (..., N) of the output, `kept` what forward_rows() kept, or the output of a ReLU.
LinearGradients backward_rows(const LinearProduct& p, const at::Tensor& grad,
                              const at::Tensor& kept, const LinearWanted& wanted) {
  const OperatorWorkers workers;
  const kernels::DataType operand = data_type(p.type);
  const at::Tensor before = through_activation(
      grad.reshape({-1, grad.size(-1)}).to(p.type).contiguous(), kept, p.activation);
  kernels::ConstMatrix before_matrix = rows_of(before);
  before_matrix.row_stride = before.size(1);
  LinearGradients result;
  if (wanted.input) {  // (rows, N) · (N, K)
    const at::Tensor rows = empty_in_large_pages({before.size(0), p.weight.size(1)},
                                                 p.input.options().requires_grad(false));
    if (p.weight.size(1) == 1) {
      one_column(before, p.weight.to(p.type).reshape({1, -1}).contiguous(), rows, {});
    } else {
      const at::Tensor weight = with_contiguous_side(p.weight);
      const kernels::PackedMatrix packed(matrix_of(weight), operand, workers);
      kernels::gemm({.a = before_matrix, .packed = &packed, .c = writable(rows)}, workers);
    }
    result.input = rows.view(p.input.sizes());
  }
  if (wanted.weight) {  // (N, rows) · (rows, K)
    const at::Tensor x = as_rows(p.input);
    const kernels::PackedMatrix packed(rows_of(x), operand, workers);
    result.weight = empty_in_large_pages(p.weight.sizes(), p.weight.options().requires_grad(false));
    kernels::GemmProblem problem{
        .a = before_matrix.transposed(), .packed = &packed, .c = writable(result.weight)};
    if (wanted.bias) {
      result.bias = at::empty({p.weight.size(0)}, before.options().dtype(at::kFloat));
      problem.row_sums = result.bias.mutable_data_ptr<float>();
    }
    kernels::gemm(problem, workers);
  } else if (wanted.bias) {
    result.bias = before.sum(0, /*keepdim=*/false, at::kFloat);
  }
  if (wanted.bias) result.bias = result.bias.to(p.bias.scalar_type());
  return result;
}

at::Tensor torch_activation_gradient(const at::Tensor& grad, const at::Tensor& before,
                                     Activation activation) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return at::threshold_backward(grad, before, 0);
    case Activation::kGelu:
      return at::gelu_backward(grad, before, "none");
    case Activation::kGeluTanh:
      return at::gelu_backward(grad, before, "tanh");
    case Activation::kSilu: {  // at::silu_backward cannot be differentiated
      const at::Tensor sigmoid = at::sigmoid(before);
      return grad * sigmoid * (1 + before * (1 - sigmoid));
    }
  }
  return grad;
}

// The same by torch's operators, which can be differentiated again.
LinearGradients differentiable_backward(const LinearProduct& p, const at::Tensor& grad,
                                        const LinearWanted& wanted) {
  const at::Tensor x = p.input.reshape({-1, p.input.size(-1)}).to(p.type);
  const at::Tensor weight = p.weight.to(p.type);
  at::Tensor before = grad.reshape({-1, grad.size(-1)});
  if (p.activation != Activation::kNone) {
    const at::Tensor bias = p.bias.defined() ? p.bias.to(p.type) : at::Tensor();
    before = torch_activation_gradient(before, at::linear(x, weight, bias), p.activation);
  }
  LinearGradients result;
  if (wanted.input) {
    result.input = at::mm(before, weight).to(p.input.scalar_type()).view(p.input.sizes());
  }
  if (wanted.weight) result.weight = at::mm(before.t(), x).to(p.weight.scalar_type());
  if (wanted.bias) result.bias = before.sum(0).to(p.bias.scalar_type());
  return result;
}

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, Activation activation,
                            at::ScalarType type, bool packed_weight) {
    const LinearProduct product{input, weight, bias.value_or(at::Tensor()), activation, type};
    const LinearForward result =
        forward_rows(product, {.packed_weight = packed_weight, .before_activation = true});
    // No view of anything, or nobody could change it in place afterwards.
    at::Tensor output = at::_unsafe_view(result.output, output_sizes(input, weight.size(0)));
    ctx->save_for_backward(
        {input, weight, product.bias, activation == Activation::kRelu ? output : result.kept});
    ctx->saved_data["activation"] = static_cast<int64_t>(activation);
    ctx->saved_data["type"] = static_cast<int64_t>(type);
    return output;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const LinearProduct product{saved[0], saved[1], saved[2],
                                static_cast<Activation>(ctx->saved_data["activation"].toInt()),
                                static_cast<at::ScalarType>(ctx->saved_data["type"].toInt())};
    const LinearWanted wanted{ctx->needs_input_grad(0), ctx->needs_input_grad(1),
                              product.bias.defined() && ctx->needs_input_grad(2)};
    LinearGradients g;
    if (grads[0].defined()) {
      g = at::GradMode::is_enabled() ? differentiable_backward(product, grads[0], wanted)
                                     : backward_rows(product, grads[0], saved[3], wanted);
    }
    return {g.input, g.weight, g.bias, {}, {}, {}};
  }
};

}  // namespace

at::Tensor own_linear(const LinearProduct& p) {
  const bool recording = at::GradMode::is_enabled();
  const bool trains_weight = recording && p.weight.requires_grad();
  if (trains_weight) forget_packed_weight(p.weight);
  const bool differentiates = trains_weight || (recording && p.input.requires_grad()) ||
                              (recording && p.bias.defined() && p.bias.requires_grad());
  if (differentiates) {
    const std::optional<at::Tensor> bias =
        p.bias.defined() ? std::make_optional(p.bias) : std::nullopt;
    return LinearFunction::apply(p.input, p.weight, bias, p.activation, p.type, !trains_weight);
  }
  const LinearForward result = forward_rows(p, {.packed_weight = true});
  return result.output.view(output_sizes(p.input, p.weight.size(0)));
}

}  // namespace heed
