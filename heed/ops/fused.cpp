// From tensors to the pointers and strides of heed/kernels, and back.
#include <ATen/ATen.h>

#include <limits>

#include "heed/kernels/attention.h"
#include "heed/ops/attention_checks.h"
#include "heed/ops/operators.h"
#include "heed/ops/score_kinds.h"
#include "heed/ops/workers.h"

namespace heed {
namespace {

// Copies only where the last dimension is not contiguous.
at::Tensor rows_of(const at::Tensor& tensor) {
  return tensor.size(3) <= 1 || tensor.stride(3) == 1 ? tensor : tensor.contiguous();
}

kernels::ConstArray array_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr(), tensor.stride(0), tensor.stride(1), tensor.stride(2)};
}

kernels::MutableArray mutable_array_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {tensor.data_ptr(), tensor.stride(0), tensor.stride(1), tensor.stride(2)};
}

at::Tensor learned(const at::Tensor& tensor) { return tensor.to(at::kFloat).contiguous(); }

const float* floats_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

float* mutable_floats_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

// (…) -> (b, h, q, Nk) with b, h and q 1 where they repeat; the last dimension is written out.
at::Tensor wide_bias(const at::Tensor& bias, const AttentionSizes& sizes, at::ScalarType type) {
  at::Tensor wide = bias;
  while (wide.dim() < 4) wide = wide.unsqueeze(0);
  if (wide.scalar_type() != type && wide.scalar_type() != at::kFloat) wide = wide.to(at::kFloat);
  if (wide.size(3) == sizes.keys && (sizes.keys <= 1 || wide.stride(3) == 1)) return wide;
  return wide.expand({wide.size(0), wide.size(1), wide.size(2), sizes.keys}).contiguous();
}

// A problem together with the tensors that its pointers point into.
struct FusedProblem {
  AttentionSizes sizes;
  kernels::Problem problem;
  at::Tensor query;
  at::Tensor key;
  at::Tensor value;
  at::Tensor parameter;
  at::Tensor alibi_slopes;
  at::Tensor relative_table;
  at::Tensor bias;

  explicit FusedProblem(const AttentionCall& call);

  bool is_empty() const {
    return sizes.batch == 0 || sizes.heads == 0 || sizes.queries == 0 || sizes.keys == 0;
  }

 private:
  void set_score(const AttentionOptions& options);
  void set_modifiers(const AttentionOptions& options);
};

FusedProblem::FusedProblem(const AttentionCall& call)
    : sizes(check_attention(call.query, call.key, call.value, call.options)),
      query(rows_of(call.query)),
      key(rows_of(call.key)),
      value(rows_of(call.value)) {
  problem.shape = {.batch = sizes.batch,
                   .heads = sizes.heads,
                   .key_heads = sizes.key_heads,
                   .queries = sizes.queries,
                   .keys = sizes.keys,
                   .size = sizes.size,
                   .value_size = sizes.value_size};
  problem.type = query.scalar_type() == at::kBFloat16 ? kernels::DataType::kBFloat16
                                                      : kernels::DataType::kFloat32;
  problem.query = array_of(query);
  problem.key = array_of(key);
  problem.value = array_of(value);
  set_score(call.options);
  set_modifiers(call.options);
  problem.pattern = call.options.pattern.kernel(sizes.pattern());
  problem.query_offset = query_offset(call.options, sizes);
  problem.dropout = {.probability = static_cast<float>(call.options.dropout),
                     .seed = call.options.dropout_seed};
}

void FusedProblem::set_score(const AttentionOptions& options) {
  const auto parts = score_parts(options.score);
  if (parts.parameter.defined()) parameter = learned(parts.parameter);
  problem.score = {.name = score_kind(parts.name).kernel.c_str(),
                   .scale = static_cast<float>(scale_of(options, sizes.size)),
                   .parameter = floats_of(parameter)};
}

void FusedProblem::set_modifiers(const AttentionOptions& options) {
  kernels::Modifiers& modifiers = problem.modifiers;
  modifiers.softcap = static_cast<float>(options.softcap);
  if (options.alibi_slopes) {
    alibi_slopes = learned(*options.alibi_slopes);
    modifiers.alibi_slopes = floats_of(alibi_slopes);
  }
  if (options.relative_bias) {
    relative_table = learned(options.relative_bias->table);
    modifiers.relative = {.table = floats_of(relative_table),
                          .head = relative_table.size(0) == 1 ? 0 : relative_table.size(1),
                          .reach = relative_table.size(1) / 2};
  }
  if (options.bias) {
    bias = wide_bias(*options.bias, sizes, query.scalar_type());
    const auto stride = [&](int64_t i) { return bias.size(i) == 1 ? 0 : bias.stride(i); };
    modifiers.dense = {.data = bias.const_data_ptr(),
                       .type = bias.scalar_type() == at::kBFloat16 ? kernels::DataType::kBFloat16
                                                                   : kernels::DataType::kFloat32,
                       .batch = stride(0),
                       .head = stride(1),
                       .row = stride(2)};
  }
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
  if (call.grad_output.defined()) return rows_of(call.grad_output);
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
  AttentionResult result{.output = empty_by_rows(shape, call.query.options()),
                         .log_sum_exp = at::empty(at::IntArrayRef(shape).slice(0, 3),
                                                  call.query.options().dtype(at::kFloat))};
  if (fused.is_empty()) {
    result.output.zero_();
    result.log_sum_exp.fill_(-std::numeric_limits<float>::infinity());
    return result;
  }
  kernels::attention_forward(fused.problem,
                             {.output = mutable_array_of(result.output),
                              .log_sum_exp = result.log_sum_exp.data_ptr<float>()},
                             TorchWorkers());
  return result;
}

Gradients fused_backward(const AttentionBackwardCall& call) {
  const FusedProblem fused(call.forward);
  if (fused.is_empty()) return zero_gradients(call);
  const auto output = rows_of(call.output);
  const auto grad_output = grad_output_of(call);
  const auto log_sum_exp = call.log_sum_exp.contiguous();
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
                               .grad_output = array_of(grad_output),
                               .grad_log_sum_exp = floats_of(grad_log_sum_exp),
                               .grad_query = mutable_array_of(gradients[0]),
                               .grad_key = mutable_array_of(gradients[1]),
                               .grad_value = mutable_array_of(gradients[2]),
                               .grad_parameter = mutable_floats_of(gradients[3]),
                               .grad_alibi_slopes = mutable_floats_of(gradients[4]),
                               .grad_relative_table = mutable_floats_of(gradients[5]),
                               .grad_dense = mutable_floats_of(gradients[6])},
                              TorchWorkers());
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
