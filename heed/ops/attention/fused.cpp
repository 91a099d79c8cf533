// Attention by the fused kernels, from tensors to tensors.
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>

#include <limits>

#include "heed/ops/attention/fused_problem.h"
#include "heed/ops/operator_workers.h"

namespace heed {
namespace {

kernels::MutableArray mutable_array_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {tensor.data_ptr(), tensor.stride(0), tensor.stride(1), tensor.stride(2)};
}

float* mutable_floats_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

// The gradient of the bias as the caller gave it, from that of the wide one.
at::Tensor narrow_bias(const at::Tensor& grad, const at::Tensor& bias) {
  const bool repeats = bias.dim() > 0 && bias.size(-1) == 1 && grad.size(3) != 1;
  const auto narrow = bias.dim() == 0 || repeats ? grad.sum(3, /*keepdim=*/true) : grad;
  return narrow.reshape(bias.sizes()).to(bias.scalar_type());
}

at::Tensor empty_gradient(Argument input, const at::Tensor& like, at::ScalarType type) {
  const auto options = like.options().dtype(type);
  return has_rows(input) ? empty_by_rows(like.sizes(), options) : at::empty(like.sizes(), options);
}

Gradients zero_gradients(const AttentionBackwardCall& call) {
  Gradients gradients;
  for (const Argument input : kDifferentiable) {
    if (!call.wanted[input]) continue;
    const at::Tensor& like = *input_of(call.forward, input);
    gradients[input] = empty_gradient(input, like, like.scalar_type()).zero_();
  }
  return gradients;
}

// dO as rows; where there is none, one row of zeros for all.
at::Tensor grad_output_of(const AttentionBackwardCall& call) {
  if (call.grad_output.defined()) return contiguous_rows(call.grad_output);
  return at::zeros({1, 1, 1, call.output.size(3)}, call.output.options())
      .expand(call.output.sizes());
}

}  // namespace

const char* fused_refuses(const AttentionCall& call) {
  const auto type = call.query.scalar_type();
  if (!call.query.is_cpu()) return "the tensors are not on the CPU";
  if (type != at::kFloat && type != at::kBFloat16) return "neither float32 nor bfloat16";
  if (call.query.dim() != 4 || call.value.dim() != 4) return "not of four dimensions";
  if (call.query.size(3) == 0 || call.value.size(3) == 0) return "heads of size 0";
  return nullptr;
}

AttentionResult fused_forward(const AttentionCall& call, bool keeps_rest) {
  const FusedProblem fused(call);
  const auto& sizes = fused.sizes;
  const std::array<int64_t, 4> shape{sizes.batch, sizes.heads, sizes.queries, sizes.value_size};
  const auto rows = at::IntArrayRef(shape).slice(0, 3);
  const AttentionResult result{
      .output = empty_by_rows(shape, call.query.options()),
      .log_sum_exp = at::detail::empty_cpu(rows, at::kFloat),
      .log_sum_exp_rest = keeps_rest ? at::detail::empty_cpu(rows, at::kFloat) : at::Tensor()};
  if (fused.is_empty()) {
    result.output.zero_();
    if (keeps_rest) result.log_sum_exp_rest.zero_();
    result.log_sum_exp.fill_(-std::numeric_limits<float>::infinity());
    return result;
  }
  kernels::attention_forward(fused.problem,
                             {.output = mutable_array_of(result.output),
                              .log_sum_exp = result.log_sum_exp.data_ptr<float>(),
                              .log_sum_exp_rest = mutable_floats_of(result.log_sum_exp_rest)},
                             OperatorWorkers());
  return result;
}

Gradients fused_backward(const AttentionBackwardCall& call) {
  const FusedProblem fused(call.forward);
  check_attention_backward(fused.sizes, call);
  if (fused.is_empty()) return zero_gradients(call);
  const auto output = contiguous_rows(call.output);
  const auto grad_output = grad_output_of(call);
  const auto log_sum_exp = call.log_sum_exp.contiguous();
  const auto log_sum_exp_rest = call.log_sum_exp_rest.contiguous();
  const auto grad_log_sum_exp = call.grad_log_sum_exp.defined()
                                    ? call.grad_log_sum_exp.to(at::kFloat).contiguous()
                                    : at::Tensor();
  Gradients gradients;
  for (const Argument input : kDifferentiable) {
    if (!call.wanted[input]) continue;
    const at::Tensor& like = fused.inputs[input];
    const auto type = has_rows(input) ? like.scalar_type() : at::kFloat;
    gradients[input] = empty_gradient(input, like, type);
  }
  kernels::attention_backward(fused.problem,
                              {.output = array_of(output),
                               .log_sum_exp = floats_of(log_sum_exp),
                               .log_sum_exp_rest = floats_of(log_sum_exp_rest),
                               .grad_output = array_of(grad_output),
                               .grad_log_sum_exp = floats_of(grad_log_sum_exp),
                               .grad_query = mutable_array_of(gradients[kQuery]),
                               .grad_key = mutable_array_of(gradients[kKey]),
                               .grad_value = mutable_array_of(gradients[kValue]),
                               .grad_parameter = mutable_floats_of(gradients[kScoreParameter]),
                               .grad_alibi_slopes = mutable_floats_of(gradients[kAlibiSlopes]),
                               .grad_relative_table = mutable_floats_of(gradients[kRelativeTable]),
                               .grad_dense = mutable_floats_of(gradients[kBias])},
                              OperatorWorkers());
  for (const Argument input : kDifferentiable) {
    at::Tensor& gradient = gradients[input];
    if (has_rows(input) || !gradient.defined()) continue;
    const at::Tensor& given = *input_of(call.forward, input);
    gradient = input == kBias ? narrow_bias(gradient, given) : gradient.to(given.scalar_type());
  }
  return gradients;
}

}  // namespace heed
