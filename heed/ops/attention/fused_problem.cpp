#include "heed/ops/attention/fused_problem.h"

#include <ATen/ATen.h>

#include "heed/ops/attention/dropout_mask.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/dense/onednn_brgemm.h"

namespace heed {
namespace {

at::Tensor learned(const at::Tensor& tensor) { return tensor.to(at::kFloat).contiguous(); }

// (…) -> (b, h, q, Nk) with b, h and q 1 where they repeat; the last dimension is written out.
at::Tensor wide_bias(const at::Tensor& bias, const AttentionSizes& sizes, at::ScalarType type) {
  at::Tensor wide = bias;
  while (wide.dim() < 4) wide = wide.unsqueeze(0);
  if (wide.scalar_type() != type && wide.scalar_type() != at::kFloat) wide = wide.to(at::kFloat);
  if (wide.size(3) == sizes.keys && (sizes.keys <= 1 || wide.stride(3) == 1)) return wide;
  return wide.expand({wide.size(0), wide.size(1), wide.size(2), sizes.keys}).contiguous();
}

}  // namespace

at::Tensor contiguous_rows(const at::Tensor& tensor) {
  return tensor.size(3) <= 1 || tensor.stride(3) == 1 ? tensor : tensor.contiguous();
}

kernels::ConstArray array_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr(), tensor.stride(0), tensor.stride(1), tensor.stride(2)};
}

const float* floats_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

FusedProblem::FusedProblem(const AttentionCall& call)
    : sizes(check_attention(call.query, call.key, call.value, call.options)) {
  use_brgemm();
  const at::Tensor& query = inputs[kQuery] = contiguous_rows(call.query);
  const at::Tensor& key = inputs[kKey] = contiguous_rows(call.key);
  const at::Tensor& value = inputs[kValue] = contiguous_rows(call.value);
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
  problem.dropout = kernel_dropout(call.options);
  problem.forward_only = query.is_inference();  // what torch never asks for a gradient of
}

void FusedProblem::set_score(const AttentionOptions& options) {
  const auto parts = score_parts(options.score);
  at::Tensor& parameter = inputs[kScoreParameter];
  if (parts.parameter.defined()) parameter = learned(parts.parameter);
  problem.score = {.name = score_kind(parts.name).kernel.c_str(),
                   .scale = static_cast<float>(scale_of(options, sizes.size)),
                   .parameter = floats_of(parameter)};
}

void FusedProblem::set_modifiers(const AttentionOptions& options) {
  kernels::Modifiers& modifiers = problem.modifiers;
  modifiers.softcap = static_cast<float>(options.softcap);
  if (options.alibi_slopes) {
    at::Tensor& slopes = inputs[kAlibiSlopes] = learned(*options.alibi_slopes);
    modifiers.alibi_slopes = floats_of(slopes);
  }
  if (options.relative_bias) {
    at::Tensor& table = inputs[kRelativeTable] = learned(options.relative_bias->table);
    modifiers.relative = {.table = floats_of(table),
                          .head = table.size(0) == 1 ? 0 : table.size(1),
                          .reach = table.size(1) / 2};
  }
  if (options.bias) {
    at::Tensor& bias = inputs[kBias] =
        wide_bias(*options.bias, sizes, inputs[kQuery].scalar_type());
    const auto stride = [&](int64_t i) { return bias.size(i) == 1 ? 0 : bias.stride(i); };
    modifiers.dense = {.data = bias.const_data_ptr(),
                       .type = bias.scalar_type() == at::kBFloat16 ? kernels::DataType::kBFloat16
                                                                   : kernels::DataType::kFloat32,
                       .batch = stride(0),
                       .head = stride(1),
                       .row = stride(2)};
  }
}

}  // namespace heed
