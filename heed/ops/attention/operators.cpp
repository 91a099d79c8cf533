#include "heed/ops/attention/operators.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/base/large_pages.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using c10::IValue;

IValue optional_tensor(const std::optional<at::Tensor>& tensor) {
  return tensor && tensor->defined() ? IValue(*tensor) : IValue();
}

at::Tensor tensor_or_none(const IValue& value) {
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

std::optional<at::Tensor> optional_of(const IValue& value) {
  const auto tensor = tensor_or_none(value);
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

Score score_of(const std::string& name, const at::Tensor& parameter) {
  if (name == "scaled_dot" && !parameter.defined()) return ScaledDot{};
  if (name == "dot" && !parameter.defined()) return Dot{};
  if (name == "cosine") return Cosine{parameter};
  if (name == "additive") return Additive{parameter};
  return NamedScore{name, parameter};
}

Alignment alignment_of(const std::string& name) {
  check_usage(name == "bottom_right" || name == "top_left", "attention: alignment '",
              excerpt_of(name), "': expected 'bottom_right' or 'top_left'");
  return name == "top_left" ? Alignment::kTopLeft : Alignment::kBottomRight;
}

}  // namespace

torch::jit::Stack stack_of(const AttentionCall& call) {
  const AttentionOptions& options = call.options;
  const auto [score, parameter] = score_parts(options.score);
  auto pattern = options.pattern.parts();
  torch::jit::Stack stack(kForwardArguments);
  stack[kQuery] = call.query;
  stack[kKey] = call.key;
  stack[kValue] = call.value;
  stack[kScore] = std::string(score);
  stack[kScoreParameter] = optional_tensor(parameter);
  stack[kScale] = options.scale;
  stack[kSoftcap] = options.softcap;
  stack[kAlibiSlopes] = optional_tensor(options.alibi_slopes);
  if (options.relative_bias) {
    stack[kRelativeTable] = optional_tensor(options.relative_bias->table);
  }
  stack[kBias] = optional_tensor(options.bias);
  stack[kAlignment] = options.alignment == Alignment::kTopLeft ? "top_left" : "bottom_right";
  stack[kPattern] = std::move(pattern.expression);
  if (!pattern.tensors.empty()) stack[kPatternTensors] = std::move(pattern.tensors);
  if (!pattern.numbers.empty()) stack[kPatternNumbers] = std::move(pattern.numbers);
  stack[kDropout] = options.dropout;
  stack[kDropoutSeed] = static_cast<int64_t>(options.dropout_seed);
  stack[kDropoutFirstHead] = options.dropout_heads.first;
  stack[kDropoutHeads] = options.dropout_heads.whole;
  return stack;
}

AttentionCall call_of(at::ArrayRef<IValue> arguments) {
  AttentionCall call{.query = arguments[kQuery].toTensor(),
                     .key = arguments[kKey].toTensor(),
                     .value = arguments[kValue].toTensor(),
                     .options = {}};
  AttentionOptions& options = call.options;
  options.score =
      score_of(arguments[kScore].toStringRef(), tensor_or_none(arguments[kScoreParameter]));
  options.scale = arguments[kScale].toOptional<double>();
  options.softcap = arguments[kSoftcap].toDouble();
  options.alibi_slopes = optional_of(arguments[kAlibiSlopes]);
  if (const auto table = optional_of(arguments[kRelativeTable])) {
    options.relative_bias = RelativeBias{*table};
  }
  options.bias = optional_of(arguments[kBias]);
  options.alignment = alignment_of(arguments[kAlignment].toStringRef());
  const IValue& tensors = arguments[kPatternTensors];
  const IValue& numbers = arguments[kPatternNumbers];
  options.pattern = Pattern::from_parts(
      {.expression = arguments[kPattern].toStringRef(),
       .tensors = tensors.isNone() ? std::vector<at::Tensor>() : tensors.toTensorVector(),
       .numbers = numbers.isNone() ? std::vector<int64_t>() : numbers.toIntVector()});
  options.dropout = arguments[kDropout].toDouble();
  const auto seed = tensor_or_none(arguments[kDropoutSeedTensor]);
  options.dropout_seed = static_cast<uint64_t>(seed.defined() ? seed.item<int64_t>()
                                                              : arguments[kDropoutSeed].toInt());
  options.dropout_heads = {.first = arguments[kDropoutFirstHead].toInt(),
                           .whole = arguments[kDropoutHeads].toInt()};
  return call;
}

AttentionBackwardCall backward_call_of(at::ArrayRef<IValue> arguments) {
  AttentionBackwardCall call{.forward = call_of(arguments),
                             .grad_output = tensor_or_none(arguments[kGradOutput]),
                             .grad_log_sum_exp = tensor_or_none(arguments[kGradLogSumExp]),
                             .output = arguments[kOutput].toTensor(),
                             .log_sum_exp = arguments[kLogSumExp].toTensor(),
                             .log_sum_exp_rest = arguments[kLogSumExpRest].toTensor()};
  const auto wanted = arguments[kWanted].toBoolList();
  check_usage(wanted.size() == call.wanted.size(), "attention_backward: `wanted` must have ",
              call.wanted.size(), " entries, got ", wanted.size());
  for (size_t i = 0; i < call.wanted.size(); ++i) {
    call.wanted[i] = wanted.get(i) && tensor_or_none(arguments[kDifferentiable[i]]).defined();
  }
  return call;
}

void replace_top(torch::jit::Stack& stack, size_t count, at::ArrayRef<at::Tensor> results) {
  stack.resize(stack.size() - count);
  for (const at::Tensor& result : results) stack.emplace_back(result);
}

at::Tensor empty_by_rows(at::IntArrayRef shape, const at::TensorOptions& options) {
  // The strides that torch gives an empty (B, N, H, size).
  const auto run = [&](size_t i) { return std::max<int64_t>(shape[i], 1); };
  const int64_t row = run(3) * run(1);
  const std::array<int64_t, 4> strides{row * run(2), run(3), row, 1};
  if (!options.device().is_cpu()) return at::empty_strided(shape, strides, options);
  // Not through the dispatcher, which takes as long as a small call of attention.
  const at::Tensor rows = at::detail::empty_strided_cpu(shape, strides, options);
  prefer_large_pages(rows.mutable_data_ptr(), rows.nbytes());
  return rows;
}

}  // namespace heed
