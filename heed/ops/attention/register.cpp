// The schemas of the operators, and what is done for each dispatch key.
#include <torch/library.h>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "heed/base/error.h"
#include "heed/ops/attention/operators.h"

namespace heed {
namespace {

using torch::jit::Stack;

constexpr char kOptions[] =
    "str score='scaled_dot', Tensor? score_parameter=None, float? scale=None, float softcap=0., "
    "Tensor? alibi_slopes=None, Tensor? relative_table=None, Tensor? bias=None, "
    "str alignment='bottom_right', str pattern='full', Tensor[]? pattern_tensors=None, "
    "int[]? pattern_numbers=None, float dropout=0., int dropout_seed=0, "
    "int dropout_first_head=0, int dropout_heads=0";

at::ArrayRef<c10::IValue> top(const Stack& stack, size_t count) {
  return at::ArrayRef<c10::IValue>(stack).slice(stack.size() - count, count);
}

void replace_top(Stack& stack, size_t count, at::ArrayRef<at::Tensor> results) {
  stack.resize(stack.size() - count);
  for (const at::Tensor& result : results) stack.emplace_back(result);
}

// Copies where torch made other strides than promised.
at::Tensor by_rows(const at::Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  auto result = empty_by_rows(tensor.sizes(), tensor.options());
  return result.strides() == tensor.strides() ? tensor : result.copy_(tensor);
}

// --- CPU and other devices ----------------------------------------------------------------------

void forward(const c10::OperatorHandle&, Stack* stack) {
  const auto call = call_of(top(*stack, kForwardArguments));
  const auto result = !fused_refuses(call) ? fused_forward(call)
                      : !torch_fused_refuses(call)
                          ? torch_fused_forward(call)
                          : attention_math(call.query, call.key, call.value, call.options);
  const auto rest = result.log_sum_exp_rest.defined() ? result.log_sum_exp_rest
                                                      : at::zeros_like(result.log_sum_exp);
  replace_top(*stack, kForwardArguments, {by_rows(result.output), result.log_sum_exp, rest});
}

void backward(const c10::OperatorHandle&, Stack* stack) {
  const auto call = backward_call_of(top(*stack, kBackwardArguments));
  auto gradients = !fused_refuses(call.forward)         ? fused_backward(call)
                   : !torch_fused_refuses(call.forward) ? torch_fused_backward(call)
                                                        : math_backward(call);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    gradients[i] = i < 3 ? by_rows(gradients[i]) : gradients[i].contiguous();
  }
  replace_top(*stack, kBackwardArguments, gradients);
}

// --- Meta: shapes alone, which may be symbols ---------------------------------------------------

at::Tensor meta_by_rows(const at::Tensor& rows, const c10::SymInt& size) {
  return at::empty_symint({rows.sym_size(0), rows.sym_size(2), rows.sym_size(1), size},
                          rows.options())
      .transpose(1, 2);
}

void meta_forward(const c10::OperatorHandle&, Stack* stack) {
  const auto arguments = top(*stack, kForwardArguments);
  const auto& query = arguments[kQuery].toTensor();
  const auto& value = arguments[kValue].toTensor();
  check_usage(query.dim() == 4 && arguments[kKey].toTensor().dim() == 4 && value.dim() == 4,
              "attention: query, key and value must have four dimensions, got ", query.dim(), ", ",
              arguments[kKey].toTensor().dim(), " and ", value.dim());
  const auto precise = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto output = meta_by_rows(query, value.sym_size(3));
  const auto log_sum_exp = at::empty_symint(
      {query.sym_size(0), query.sym_size(1), query.sym_size(2)}, query.options().dtype(precise));
  replace_top(*stack, kForwardArguments, {output, log_sum_exp, at::empty_like(log_sum_exp)});
}

void meta_backward(const c10::OperatorHandle&, Stack* stack) {
  const auto arguments = top(*stack, kBackwardArguments);
  const auto wanted = arguments[kWanted].toBoolList();
  Gradients gradients;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const auto& input = arguments[kDifferentiable[i]];
    if (!wanted.get(i) || input.isNone()) continue;
    const auto& tensor = input.toTensor();
    gradients[i] = i < 3 ? meta_by_rows(tensor, tensor.sym_size(3))
                         : at::empty_symint(tensor.sym_sizes(), tensor.options());
  }
  replace_top(*stack, kBackwardArguments, gradients);
}

// --- Autograd -----------------------------------------------------------------------------------

// The arguments that are no differentiable tensors, kept for the backward pass.
struct OtherArguments : torch::CustomClassHolder {
  Stack values;
};

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;
  using Optional = std::optional<at::Tensor>;

  static Tensors forward(Context* context, const at::Tensor& query, const at::Tensor& key,
                         const at::Tensor& value, const Optional& score_parameter,
                         const Optional& alibi_slopes, const Optional& relative_table,
                         const Optional& bias, const Stack& arguments) {
    const at::AutoDispatchBelowADInplaceOrView below;
    Stack stack = arguments;
    attention_operator().callBoxed(stack);
    const auto output = stack[0].toTensor();
    const auto log_sum_exp = stack[1].toTensor();
    const auto rest = stack[2].toTensor();

    Tensors saved = {query, key, value};
    for (const auto* tensor : {&score_parameter, &alibi_slopes, &relative_table, &bias}) {
      saved.push_back(tensor->value_or(at::Tensor()));
    }
    std::vector<bool> wanted;
    for (const auto& tensor : saved) wanted.push_back(tensor.defined() && tensor.requires_grad());
    saved.push_back(output);
    saved.push_back(log_sum_exp);
    saved.push_back(rest);
    context->mark_non_differentiable({rest});
    context->save_for_backward(saved);
    context->set_materialize_grads(false);

    auto others = c10::make_intrusive<OtherArguments>();
    others->values = arguments;
    for (const Argument argument : kDifferentiable) others->values[argument] = c10::IValue();
    others->values.resize(kBackwardArguments);
    c10::List<bool> list;
    for (const bool one : wanted) list.push_back(one);
    others->values[kWanted] = std::move(list);
    context->saved_data["others"] = c10::IValue::make_capsule(std::move(others));
    return {output, log_sum_exp, rest};
  }

  static Tensors backward(Context* context, const Tensors& grads) {
    const auto saved = context->get_saved_variables();
    const auto others = c10::static_intrusive_pointer_cast<OtherArguments>(
        context->saved_data["others"].toCapsule());
    Stack stack = others->values;
    const auto put = [&](Argument argument, const at::Tensor& tensor) {
      stack[argument] = tensor.defined() ? c10::IValue(tensor) : c10::IValue();
    };
    for (size_t i = 0; i < kDifferentiable.size(); ++i) put(kDifferentiable[i], saved[i]);
    put(kOutput, saved[kDifferentiable.size()]);
    put(kLogSumExp, saved[kDifferentiable.size() + 1]);
    put(kLogSumExpRest, saved[kDifferentiable.size() + 2]);
    put(kGradOutput, grads[0]);
    put(kGradLogSumExp, grads[1]);
    attention_backward_operator().callBoxed(stack);
    Tensors result;
    for (const auto& value : stack) {
      result.push_back(value.isTensor() ? value.toTensor() : at::Tensor());
    }
    result.emplace_back();  // the stack of arguments
    return result;
  }
};

bool requires_grad(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().defined() && value.toTensor().requires_grad();
}

bool any_requires_grad(at::ArrayRef<c10::IValue> arguments) {
  if (!at::GradMode::is_enabled()) return false;
  for (const Argument argument : kDifferentiable) {
    if (requires_grad(arguments[argument])) return true;
  }
  return false;
}

void autograd_forward(const c10::OperatorHandle& handle, Stack* stack) {
  const auto view = top(*stack, kForwardArguments);
  if (!any_requires_grad(view)) {
    const at::AutoDispatchBelowADInplaceOrView below;
    handle.callBoxed(stack);
    return;
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

// Marks the gradients as results that cannot be differentiated again.
class DifferentiableOnce : public torch::autograd::Function<DifferentiableOnce> {
 public:
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;

  // `inputs` as a TensorList: a vector would not be taken for differentiable.
  static Tensors forward(Context*, at::TensorList /*inputs*/, const Tensors& results) {
    Tensors copies;
    for (const auto& result : results) copies.push_back(result.clone());
    return copies;
  }

  static Tensors backward(Context*, const Tensors&) {
    throw UsageError(
        "attention: its gradients cannot be differentiated again; take attention_math for second "
        "derivatives");
  }
};

void autograd_backward(const c10::OperatorHandle& handle, Stack* stack) {
  const auto arguments = top(*stack, kBackwardArguments);
  torch::autograd::variable_list inputs;
  if (at::GradMode::is_enabled()) {
    for (const auto& argument : arguments) {
      if (requires_grad(argument)) inputs.push_back(argument.toTensor());
    }
  }
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    handle.callBoxed(stack);
  }
  if (inputs.empty()) return;
  const auto gradients = top(*stack, kDifferentiable.size());
  torch::autograd::variable_list defined;
  for (const auto& gradient : gradients) {
    if (gradient.isTensor() && gradient.toTensor().defined()) {
      defined.push_back(gradient.toTensor());
    }
  }
  const auto marked = DifferentiableOnce::apply(at::TensorList(inputs), defined);
  Gradients results;
  size_t next = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    if (gradients[i].isTensor() && gradients[i].toTensor().defined()) results[i] = marked[next++];
  }
  replace_top(*stack, kDifferentiable.size(), results);
}

// --- Autocast -----------------------------------------------------------------------------------

// query, key and value in the lower precision; what is learned beside them stays as it is.
void autocast_forward(const c10::OperatorHandle& handle, Stack* stack) {
  const size_t first = stack->size() - kForwardArguments;
  const auto device = (*stack)[first + kQuery].toTensor().device().type();
  const auto type = at::autocast::get_autocast_dtype(device);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  for (const Argument argument : {kQuery, kKey, kValue}) {
    auto& value = (*stack)[first + argument];
    value = at::autocast::cached_cast(type, value.toTensor(), device);
  }
  handle.callBoxed(stack);
}

template <void (*kernel)(const c10::OperatorHandle&, Stack*)>
torch::CppFunction boxed() {
  return torch::CppFunction::makeFromBoxedFunction<kernel>();
}

c10::OperatorHandle operator_named(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

}  // namespace

// These two stand here so that whoever links the library as an archive gets the registrations.
const c10::OperatorHandle& attention_operator() {
  static const auto handle = operator_named("heed::attention");
  return handle;
}

const c10::OperatorHandle& attention_backward_operator() {
  static const auto handle = operator_named("heed::attention_backward");
  return handle;
}

void link_registration() {}

TORCH_LIBRARY(heed, library) {
  library.def(text_of("attention(Tensor query, Tensor key, Tensor value, *, ", kOptions,
                      ") -> (Tensor output, Tensor log_sum_exp, Tensor log_sum_exp_rest)")
                  .c_str(),
              {at::Tag::pt2_compliant_tag});
  library.def(text_of("attention_backward(Tensor query, Tensor key, Tensor value, *, ", kOptions,
                      ", Tensor? grad_output, Tensor? grad_log_sum_exp, Tensor output, "
                      "Tensor log_sum_exp, Tensor log_sum_exp_rest, bool[] wanted) -> (Tensor, "
                      "Tensor, Tensor, Tensor, "
                      "Tensor, Tensor, Tensor)")
                  .c_str(),
              {at::Tag::pt2_compliant_tag});
}

TORCH_LIBRARY_IMPL(heed, CompositeExplicitAutograd, library) {
  library.impl("attention", boxed<&forward>());
  library.impl("attention_backward", boxed<&backward>());
}

TORCH_LIBRARY_IMPL(heed, CPU, library) {
  library.impl("attention", boxed<&forward>());
  library.impl("attention_backward", boxed<&backward>());
}

TORCH_LIBRARY_IMPL(heed, Meta, library) {
  library.impl("attention", boxed<&meta_forward>());
  library.impl("attention_backward", boxed<&meta_backward>());
}

TORCH_LIBRARY_IMPL(heed, Autograd, library) {
  library.impl("attention", boxed<&autograd_forward>());
  library.impl("attention_backward", boxed<&autograd_backward>());
}

TORCH_LIBRARY_IMPL(heed, AutocastCPU, library) {
  library.impl("attention", boxed<&autocast_forward>());
}

TORCH_LIBRARY_IMPL(heed, AutocastCUDA, library) {
  library.impl("attention", boxed<&autocast_forward>());
}

}  // namespace heed
