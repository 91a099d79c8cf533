// Derivatives of attention. First ones in reverse mode are those of the kernels, on the straight
// way or through attention_backward; all others (second derivatives, forward mode, the transforms
// of torch.func) go through attention_math.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/attention/pattern_node.h"
#include "heed/ops/attention/transforms.h"
#include "heed/ops/operators/boxed.h"

namespace heed {
namespace {

using c10::IValue;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using torch::jit::Stack;

// Tensors go where autograd sees it when one of them is changed before the backward pass: those of
// `arguments` and all of the pattern. The others stay in the context.
void save(AutogradContext* context, at::ArrayRef<IValue> arguments,
          at::ArrayRef<Argument> saved_arguments, variable_list further) {
  variable_list saved;
  auto others = c10::make_intrusive<OtherArguments>();
  others->values.assign(arguments.begin(), arguments.end());
  for (const Argument argument : saved_arguments) {
    saved.push_back(tensor_or_undefined(arguments[argument]));
    others->values[argument] = IValue();
  }
  IValue& pattern = others->values[kPatternTensors];
  saved.insert(saved.end(), further.begin(), further.end());
  if (!pattern.isNone()) {
    for (const at::Tensor& tensor : pattern.toTensorVector()) saved.push_back(tensor);
    pattern = IValue();
  }
  context->save_for_backward(saved);
  context->saved_data["others"] = IValue::make_capsule(std::move(others));
}

// The same arguments again; `further` tensors stand in `rest` behind those of the arguments.
Stack restored(AutogradContext* context, at::ArrayRef<Argument> saved_arguments, size_t further,
               variable_list& rest) {
  const auto saved = context->get_saved_variables();
  Stack stack =
      c10::static_intrusive_pointer_cast<OtherArguments>(context->saved_data["others"].toCapsule())
          ->values;
  size_t next = 0;
  for (const Argument argument : saved_arguments) stack[argument] = value_or_none(saved[next++]);
  rest.assign(saved.begin() + static_cast<std::ptrdiff_t>(next),
              saved.begin() + static_cast<std::ptrdiff_t>(next + further));
  next += further;
  if (next < saved.size()) {
    stack[kPatternTensors] =
        std::vector<at::Tensor>(saved.begin() + static_cast<std::ptrdiff_t>(next), saved.end());
  }
  return stack;
}

// A call on the straight way, kept for its backward pass without the tensors that autograd keeps.
struct KeptCall : torch::CustomClassHolder {
  AttentionCall call;
  PerInput<bool> wanted;
};

using Optional = std::optional<at::Tensor>;

class FusedFunction : public torch::autograd::Function<FusedFunction> {
 public:
  // The rest of the log-sum-exp goes past autograd, which takes its time over each result.
  static variable_list forward(AutogradContext* context, const at::Tensor& /*query*/,
                               const at::Tensor& /*key*/, const at::Tensor& /*value*/,
                               const Optional& /*score_parameter*/,
                               const Optional& /*alibi_slopes*/, const Optional& /*relative_table*/,
                               const Optional& /*bias*/, const AttentionCall& call,
                               at::Tensor* log_sum_exp_rest) {
    const at::AutoDispatchBelowADInplaceOrView below;
    const AttentionResult result = fused_forward(call);
    *log_sum_exp_rest = result.log_sum_exp_rest;
    auto kept = c10::make_intrusive<KeptCall>();
    kept->call = call;
    variable_list saved = {result.output, result.log_sum_exp, result.log_sum_exp_rest};
    for (const Argument input : kDifferentiable) {
      at::Tensor* const tensor = input_of(kept->call, input);
      kept->wanted[input] = tensor != nullptr && tensor->requires_grad();
      saved.push_back(tensor != nullptr ? std::exchange(*tensor, {}) : at::Tensor());
    }
    // These stay in the pattern, too: autograd sees when one of them was changed.
    for (const at::Tensor& tensor : tensors_of(call.options.pattern)) saved.push_back(tensor);
    context->save_for_backward(saved);
    context->saved_data["call"] = IValue::make_capsule(std::move(kept));
    context->set_materialize_grads(false);
    return {result.output, result.log_sum_exp};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const auto kept =
        c10::static_intrusive_pointer_cast<KeptCall>(context->saved_data["call"].toCapsule());
    AttentionBackwardCall call{.forward = kept->call,
                               .grad_output = grads[0],
                               .grad_log_sum_exp = grads[1],
                               .output = saved[0],
                               .log_sum_exp = saved[1],
                               .log_sum_exp_rest = saved[2],
                               .wanted = kept->wanted};
    for (size_t i = 0; i < kDifferentiable.size(); ++i) {
      if (at::Tensor* const tensor = input_of(call.forward, kDifferentiable[i])) {
        *tensor = saved[3 + i];
      }
    }
    variable_list gradients;
    if (!at::GradMode::is_enabled() && goes_straight(call)) {
      const at::AutoDispatchBelowADInplaceOrView below;
      const Gradients found = fused_backward(call);
      gradients.assign(found.values().begin(), found.values().end());
    } else {
      Stack stack = stack_of(call);
      attention_backward_operator().callBoxed(stack);
      for (const auto& value : stack) gradients.push_back(tensor_or_undefined(value));
    }
    gradients.resize(gradients.size() + 2);  // the call, and where the rest went
    return gradients;
  }
};

// Where torch traces, and for what the kernels do not take: both directions are operators.
class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& /*query*/,
                               const at::Tensor& /*key*/, const at::Tensor& /*value*/,
                               const Optional& /*score_parameter*/,
                               const Optional& /*alibi_slopes*/, const Optional& /*relative_table*/,
                               const Optional& /*bias*/, const Stack& arguments) {
    const at::AutoDispatchBelowADInplaceOrView below;
    Stack stack = arguments;
    attention_operator().callBoxed(stack);
    const auto output = stack[0].toTensor();
    const auto log_sum_exp = stack[1].toTensor();
    const auto rest = stack[2].toTensor();

    Stack kept = arguments;
    kept.resize(kBackwardArguments);
    c10::List<bool> wanted;
    for (const Argument argument : kDifferentiable) {
      const at::Tensor tensor = tensor_or_undefined(arguments[argument]);
      wanted.push_back(tensor.defined() && tensor.requires_grad());
    }
    kept[kWanted] = std::move(wanted);
    save(context, kept, kDifferentiable, {output, log_sum_exp, rest});
    context->mark_non_differentiable({rest});
    context->set_materialize_grads(false);
    return {output, log_sum_exp, rest};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list results;
    Stack stack = restored(context, kDifferentiable, 3, results);
    stack[kOutput] = results[0];
    stack[kLogSumExp] = results[1];
    stack[kLogSumExpRest] = results[2];
    stack[kGradOutput] = value_or_none(grads[0]);
    stack[kGradLogSumExp] = value_or_none(grads[1]);
    attention_backward_operator().callBoxed(stack);
    variable_list gradients;
    for (const auto& value : stack) gradients.push_back(tensor_or_undefined(value));
    gradients.emplace_back();  // the stack of arguments
    return gradients;
  }
};

// What attention_backward is differentiated by: the arguments of attention and the gradients that
// came from above. Its output and log-sum-exp are functions of the former.
constexpr auto kSavedBackward = [] {
  std::array<Argument, kDifferentiable.size() + 2> all{};
  std::copy(kDifferentiable.begin(), kDifferentiable.end(), all.begin());
  all[kDifferentiable.size()] = kGradOutput;
  all[kDifferentiable.size() + 1] = kGradLogSumExp;
  return all;
}();

// attention_backward with derivatives of its own: attention_math once more, and twice through it.
class AttentionBackwardFunction : public torch::autograd::Function<AttentionBackwardFunction> {
 public:
  // `inputs` (those of kSavedBackward that are there) as a TensorList: a vector would not be taken
  // for differentiable. Returns the gradients that are wanted.
  static variable_list forward(AutogradContext* context, at::TensorList /*inputs*/,
                               const Stack& arguments) {
    const at::AutoDispatchBelowADInplaceOrView below;
    Stack stack = arguments;
    attention_backward_operator().callBoxed(stack);
    save(context, arguments, kSavedBackward, {});
    context->set_materialize_grads(false);
    variable_list gradients;
    for (const auto& value : stack) {
      if (tensor_or_undefined(value).defined()) gradients.push_back(value.toTensor());
    }
    return gradients;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const bool again = at::GradMode::is_enabled();
    const at::AutoGradMode recording(true);
    variable_list none;
    Stack stack = restored(context, kSavedBackward, 0, none);
    const PerInput<bool> wanted = wanted_of(stack);
    // Leaves of their own, also where one tensor is given twice; for a third derivative, views.
    variable_list inputs;
    for (const Argument argument : kSavedBackward) {
      const at::Tensor saved = tensor_or_undefined(stack[argument]);
      if (saved.defined()) {
        stack[argument] = again ? saved.view_as(saved) : saved.detach().requires_grad_();
      }
      inputs.push_back(tensor_or_undefined(stack[argument]));
    }
    const auto call = call_of(at::ArrayRef<IValue>(stack).slice(0, kForwardArguments));
    say_engine("second derivative", "attention_math", call,
               {.fused = "they have no second derivative"});
    const auto result = math_forward(call);
    variable_list outputs, upstream, asked;
    for (const auto& [output, argument] :
         {std::pair(result.output, kGradOutput), std::pair(result.log_sum_exp, kGradLogSumExp)}) {
      if (stack[argument].isNone()) continue;
      outputs.push_back(output);
      upstream.push_back(stack[argument].toTensor());
    }
    for (size_t i = 0; i < kDifferentiable.size(); ++i) {
      if (wanted[kDifferentiable[i]]) asked.push_back(inputs[i]);
    }
    const auto first = torch::autograd::grad(outputs, asked, upstream, /*retain_graph=*/true,
                                             /*create_graph=*/true, /*allow_unused=*/true);
    return second(first, grads, inputs, again);
  }

 private:
  static variable_list second(const variable_list& first, const variable_list& grads,
                              const variable_list& inputs, bool again) {
    variable_list outputs, upstream, asked;
    for (size_t i = 0; i < first.size(); ++i) {
      if (!first[i].defined() || !first[i].requires_grad() || !grads[i].defined()) continue;
      outputs.push_back(first[i]);
      upstream.push_back(grads[i]);
    }
    for (const auto& input : inputs) {
      if (input.defined() && input.requires_grad()) asked.push_back(input);
    }
    variable_list found(asked.size());
    if (!outputs.empty()) {
      found = torch::autograd::grad(outputs, asked, upstream, /*retain_graph=*/again,
                                    /*create_graph=*/again, /*allow_unused=*/true);
    }
    variable_list all;
    size_t next = 0;
    for (const auto& input : inputs) {  // those that forward() was given
      if (input.defined()) all.push_back(input.requires_grad() ? found[next++] : at::Tensor());
    }
    all.emplace_back();  // the stack of arguments
    return all;
  }
};

bool requires_grad(const IValue& value) {
  const at::Tensor tensor = tensor_or_undefined(value);
  return tensor.defined() && tensor.requires_grad();
}

template <typename Arguments>
bool any_requires_grad(at::ArrayRef<IValue> values, const Arguments& arguments) {
  return at::GradMode::is_enabled() &&
         std::any_of(arguments.begin(), arguments.end(),
                     [&](size_t argument) { return requires_grad(values[argument]); });
}

bool any_tangent(at::ArrayRef<IValue> values) {
  return std::any_of(values.begin(), values.end(),
                     [](const IValue& value) { return has_tangent(tensor_or_undefined(value)); });
}

void below_autograd(const c10::OperatorHandle& handle, Stack* stack) {
  const at::AutoDispatchBelowADInplaceOrView below;
  handle.callBoxed(stack);
}

}  // namespace

AttentionResult fused_attention(const AttentionCall& call) {
  const auto optional = [&](Argument input) {
    const at::Tensor* const tensor = input_of(call, input);
    return tensor != nullptr ? Optional(*tensor) : std::nullopt;
  };
  const auto asks = [&](Argument input) {
    const at::Tensor* const tensor = input_of(call, input);
    return tensor != nullptr && tensor->defined() && tensor->requires_grad();
  };
  if (!at::GradMode::is_enabled() ||
      std::none_of(kDifferentiable.begin(), kDifferentiable.end(), asks)) {
    return fused_forward(call, /*keeps_rest=*/false);
  }
  at::Tensor rest;
  const auto results = FusedFunction::apply(call.query, call.key, call.value,
                                            optional(kScoreParameter), optional(kAlibiSlopes),
                                            optional(kRelativeTable), optional(kBias), call, &rest);
  return {.output = results[0], .log_sum_exp = results[1], .log_sum_exp_rest = rest};
}

void autograd_forward(const c10::OperatorHandle& handle, Stack* stack) {
  const auto view = top(*stack, kForwardArguments);
  if (in_functorch() || any_tangent(view)) {
    const auto call = call_of(view);
    say_engine("forward", "attention_math", call,
               {.fused = "a transform of torch.func or a derivative of forward mode"});
    const auto result = attention_math(call.query, call.key, call.value, call.options);
    const auto rest = at::zeros_like(result.log_sum_exp.detach());
    return replace_top(*stack, kForwardArguments, {result.output, result.log_sum_exp, rest});
  }
  if (!any_requires_grad(view, kDifferentiable)) return below_autograd(handle, stack);
  if (goes_straight(view)) {
    const auto call = call_of(view);
    if (fused_refuses(call) == nullptr) {
      const auto result = fused_attention(call);
      return replace_top(*stack, kForwardArguments,
                         {result.output, result.log_sum_exp, result.log_sum_exp_rest});
    }
  }
  const Stack arguments(view.begin(), view.end());
  const auto optional = [&](Argument argument) {
    return arguments[argument].toOptional<at::Tensor>();
  };
  const auto results = AttentionFunction::apply(
      arguments[kQuery].toTensor(), arguments[kKey].toTensor(), arguments[kValue].toTensor(),
      optional(kScoreParameter), optional(kAlibiSlopes), optional(kRelativeTable), optional(kBias),
      arguments);
  replace_top(*stack, kForwardArguments, results);
}

void autograd_backward(const c10::OperatorHandle& handle, Stack* stack) {
  const auto view = top(*stack, kBackwardArguments);
  check_usage(!any_tangent(view),
              "attention_backward has no derivatives of forward mode; give the tangents to the "
              "arguments of heed::attention, or take attention_math");
  if (in_functorch() || !any_requires_grad(view, kSavedBackward)) {
    return below_autograd(handle, stack);
  }
  const Stack arguments(view.begin(), view.end());
  variable_list inputs;
  for (const Argument argument : kSavedBackward) {
    if (const at::Tensor tensor = tensor_or_undefined(arguments[argument]); tensor.defined()) {
      inputs.push_back(tensor);
    }
  }
  const auto gradients = AttentionBackwardFunction::apply(at::TensorList(inputs), arguments);
  const PerInput<bool> wanted = wanted_of(arguments);
  Gradients results;
  size_t next = 0;
  for (const Argument input : kDifferentiable) {
    if (wanted[input]) results[input] = gradients[next++];
  }
  replace_top(*stack, kBackwardArguments, results.values());
}

}  // namespace heed
