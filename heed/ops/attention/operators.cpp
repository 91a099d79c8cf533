#include "heed/ops/attention/operators.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/large_pages.h"
#include "heed/kernels/verbose.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/operators/boxed.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using c10::IValue;

std::optional<at::Tensor> optional_of(const IValue& value) {
  const auto tensor = tensor_or_undefined(value);
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

const at::Tensor* input_of(const AttentionCall& call, Argument input) {
  const AttentionOptions& options = call.options;
  switch (input) {
    case kQuery:
      return &call.query;
    case kKey:
      return &call.key;
    case kValue:
      return &call.value;
    case kScoreParameter:
      return parameter_in(options.score);
    case kAlibiSlopes:
      return options.alibi_slopes ? &*options.alibi_slopes : nullptr;
    case kRelativeTable:
      return options.relative_bias ? &options.relative_bias->table : nullptr;
    case kBias:
      return options.bias ? &*options.bias : nullptr;
    default:
      return nullptr;
  }
}

at::Tensor* input_of(AttentionCall& call, Argument input) {
  return const_cast<at::Tensor*>(input_of(std::as_const(call), input));
}

torch::jit::Stack stack_of(const AttentionCall& call) {
  const AttentionOptions& options = call.options;
  auto pattern = options.pattern.parts();
  torch::jit::Stack stack(kForwardArguments);
  for (const Argument input : kDifferentiable) {
    const at::Tensor* tensor = input_of(call, input);
    if (tensor != nullptr) stack[input] = value_or_none(*tensor);
  }
  stack[kScore] = std::string(score_parts(options.score).name);
  stack[kScale] = options.scale;
  stack[kSoftcap] = options.softcap;
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
      score_of(arguments[kScore].toStringRef(), tensor_or_undefined(arguments[kScoreParameter]));
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
  const auto seed = tensor_or_undefined(arguments[kDropoutSeedTensor]);
  options.dropout_seed = static_cast<uint64_t>(seed.defined() ? seed.item<int64_t>()
                                                              : arguments[kDropoutSeed].toInt());
  options.dropout_heads = {.first = arguments[kDropoutFirstHead].toInt(),
                           .whole = arguments[kDropoutHeads].toInt()};
  return call;
}

PerInput<bool> wanted_of(at::ArrayRef<IValue> arguments) {
  const auto list = arguments[kWanted].toBoolList();
  check_usage(list.size() == kDifferentiable.size(), "attention_backward: `wanted` must have ",
              kDifferentiable.size(), " entries, got ", list.size());
  PerInput<bool> wanted;
  for (size_t i = 0; i < list.size(); ++i) {
    const Argument input = kDifferentiable[i];
    wanted[input] = list.get(i) && tensor_or_undefined(arguments[input]).defined();
  }
  return wanted;
}

torch::jit::Stack stack_of(const AttentionBackwardCall& call) {
  torch::jit::Stack stack = stack_of(call.forward);
  stack.resize(kBackwardArguments);
  stack[kGradOutput] = value_or_none(call.grad_output);
  stack[kGradLogSumExp] = value_or_none(call.grad_log_sum_exp);
  stack[kOutput] = call.output;
  stack[kLogSumExp] = call.log_sum_exp;
  stack[kLogSumExpRest] = call.log_sum_exp_rest;
  c10::List<bool> wanted;
  for (const Argument input : kDifferentiable) wanted.push_back(call.wanted[input]);
  stack[kWanted] = std::move(wanted);
  return stack;
}

AttentionBackwardCall backward_call_of(at::ArrayRef<IValue> arguments) {
  AttentionBackwardCall call{.forward = call_of(arguments),
                             .grad_output = tensor_or_undefined(arguments[kGradOutput]),
                             .grad_log_sum_exp = tensor_or_undefined(arguments[kGradLogSumExp]),
                             .output = arguments[kOutput].toTensor(),
                             .log_sum_exp = arguments[kLogSumExp].toTensor(),
                             .log_sum_exp_rest = arguments[kLogSumExpRest].toTensor(),
                             .wanted = wanted_of(arguments)};
  return call;
}

void say_engine(const char* pass, const char* engine, const AttentionCall& call,
                const Refusals& refusals) {
  if (!kernels::is_verbose()) return;
  std::string line = text_of(
      "attention ", pass, ": engine ", engine, "; query ",
      TensorText{call.query, /*with_device=*/true}, ", key ",
      TensorText{call.key, /*with_device=*/true}, ", ", score_parts(call.options.score).name, ", ",
      call.options.pattern.description(), "; not the kernels: ", refusals.fused);
  if (refusals.torch != nullptr) line += text_of("; not torch_fused: ", refusals.torch);
  kernels::say_verbose(line);
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
