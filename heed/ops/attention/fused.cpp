// Attention by the fused kernels, from tensors to tensors.
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>

#include <limits>

#include "heed/ops/attention/fused_problem.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/workers.h"

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

Gradients zero_gradients(const AttentionBackwardCall& call) {
  const AttentionOptions& options = call.forward.options;
  const std::array<at::Tensor, kDifferentiable.size()> inputs = {
      call.forward.query,
      call.forward.key,
      call.forward.value,
      score_parts(options.score).parameter,
      options.alibi_slopes.value_or(at::Tensor()),
      options.relative_bias ? options.relative_bias->table : at::Tensor(),
      options.bias.value_or(at::Tensor())};
  Gradients gradients;
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (call.wanted[i]) gradients[i] = at::zeros(inputs[i].sizes(), inputs[i].options());
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

bool fused_refuses(const AttentionCall& call) {
  const auto type = call.query.scalar_type();
  const bool fits = call.query.is_cpu() && (type == at::kFloat || type == at::kBFloat16) &&
                    call.query.dim() == 4 && call.value.dim() == 4 && call.query.size(3) > 0 &&
                    call.value.size(3) > 0;
  return !fits;
}

AttentionResult fused_forward(const AttentionCall& call) {
  const FusedProblem fused(call);
  const auto& sizes = fused.sizes;
  const std::array<int64_t, 4> shape{sizes.batch, sizes.heads, sizes.queries, sizes.value_size};
  const auto rows = at::IntArrayRef(shape).slice(0, 3);
  const AttentionResult result{.output = empty_by_rows(shape, call.query.options()),
                               .log_sum_exp = at::detail::empty_cpu(rows, at::kFloat),
                               .log_sum_exp_rest = at::detail::empty_cpu(rows, at::kFloat)};
  if (fused.is_empty()) {
    result.output.zero_();
    result.log_sum_exp_rest.zero_();
    result.log_sum_exp.fill_(-std::numeric_limits<float>::infinity());
    return result;
  }
  kernels::attention_forward(fused.problem,
                             {.output = mutable_array_of(result.output),
                              .log_sum_exp = result.log_sum_exp.data_ptr<float>(),
                              .log_sum_exp_rest = result.log_sum_exp_rest.data_ptr<float>()},
                             OperatorWorkers());
  return result;
}

Gradients fused_backward(const AttentionBackwardCall& call) {
  const FusedProblem fused(call.forward);
  if (fused.is_empty()) return zero_gradients(call);
  const auto output = contiguous_rows(call.output);
  const auto grad_output = grad_output_of(call);
  const auto log_sum_exp = call.log_sum_exp.contiguous();
  const auto log_sum_exp_rest = call.log_sum_exp_rest.contiguous();
  const auto grad_log_sum_exp = call.grad_log_sum_exp.defined()
                                    ? call.grad_log_sum_exp.to(at::kFloat).contiguous()
                                    : at::Tensor();
  Gradients gradients;
  const std::array<const at::Tensor*, kDifferentiable.size()> like = {
      &fused.query,          &fused.key, &fused.value, &fused.parameter, &fused.alibi_slopes,
      &fused.relative_table, &fused.bias};
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!call.wanted[i]) continue;
    gradients[i] = i < 3 ? empty_by_rows(like[i]->sizes(), like[i]->options())
                         : at::empty(like[i]->sizes(), like[i]->options().dtype(at::kFloat));
  }
  kernels::attention_backward(fused.problem,
                              {.output = array_of(output),
                               .log_sum_exp = floats_of(log_sum_exp),
                               .log_sum_exp_rest = floats_of(log_sum_exp_rest),
                               .grad_output = array_of(grad_output),
                               .grad_log_sum_exp = floats_of(grad_log_sum_exp),
                               .grad_query = mutable_array_of(gradients[0]),
                               .grad_key = mutable_array_of(gradients[1]),
                               .grad_value = mutable_array_of(gradients[2]),
                               .grad_parameter = mutable_floats_of(gradients[3]),
                               .grad_alibi_slopes = mutable_floats_of(gradients[4]),
                               .grad_relative_table = mutable_floats_of(gradients[5]),
                               .grad_dense = mutable_floats_of(gradients[6])},
                              OperatorWorkers());
  const AttentionOptions& options = call.forward.options;
  if (gradients[3].defined()) {
    gradients[3] = gradients[3].to(score_parts(options.score).parameter.scalar_type());
  }
  if (gradients[4].defined()) {
    gradients[4] = gradients[4].to(options.alibi_slopes->scalar_type());
  }
  if (gradients[5].defined()) {
    gradients[5] = gradients[5].to(options.relative_bias->table.scalar_type());
  }
  if (gradients[6].defined()) gradients[6] = narrow_bias(gradients[6], *options.bias);
  return gradients;
}

}  // namespace heed
