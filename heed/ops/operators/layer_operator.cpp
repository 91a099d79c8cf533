#include "heed/ops/operators/layer_operator.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "heed/base/error.h"
#include "heed/ops/attention/meta.h"
#include "heed/ops/attention/transforms.h"
#include "heed/ops/operators/boxed.h"
#include "heed/ops/operators/traced.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using torch::jit::Stack;

size_t arguments_of(const c10::OperatorHandle& handle) {
  return handle.schema().arguments().size();
}

Values top_arguments(const c10::OperatorHandle& handle, const Stack& stack) {
  return Values(stack).slice(stack.size() - arguments_of(handle));
}

void replace_arguments(const c10::OperatorHandle& handle, Stack& stack, const Tensors& results) {
  stack.resize(stack.size() - arguments_of(handle));
  for (const auto& result : results) stack.emplace_back(result);
}

struct TracedCall : OtherArguments {
  const LayerFunction* function = nullptr;
};

class TracedLayer : public torch::autograd::Function<TracedLayer> {
 public:
  using Context = torch::autograd::AutogradContext;

  static Tensors forward(Context* context, at::TensorList /*inputs*/, const LayerFunction* function,
                         const Stack& arguments) {
    const at::AutoDispatchBelowADInplaceOrView below;
    Tensors saved;
    c10::List<bool> wanted;
    for (const size_t position : function->differentiable) {
      const auto tensor = tensor_or_undefined(arguments[position]);
      wanted.push_back(tensor.defined() && tensor.requires_grad());
    }
    auto call = c10::make_intrusive<TracedCall>();
    call->function = function;
    call->values = arguments;
    for (auto& value : call->values) {
      saved.push_back(tensor_or_undefined(value));
      if (value.isTensor()) value = c10::IValue();
    }
    context->save_for_backward(saved);
    context->saved_data["call"] = c10::IValue::make_capsule(std::move(call));
    context->saved_data["wanted"] = wanted;
    Stack stack = arguments;
    operator_named(function->name).callBoxed(stack);
    Tensors results;
    for (const auto& value : stack) results.push_back(value.toTensor());
    return results;
  }

  static Tensors backward(Context* context, const Tensors& grads) {
    const auto call =
        c10::static_intrusive_pointer_cast<TracedCall>(context->saved_data["call"].toCapsule());
    const auto saved = context->get_saved_variables();
    const auto wanted = context->saved_data["wanted"].toBoolList();
    Stack stack;
    stack.emplace_back(grads);
    for (size_t i = 0; i < saved.size(); ++i) {
      stack.push_back(saved[i].defined() ? c10::IValue(saved[i]) : call->values[i]);
    }
    stack.emplace_back(wanted);
    operator_named(std::string(call->function->name) + "_backward").callBoxed(stack);
    const auto found = stack[0].toTensorVector();
    const auto differentiable = call->function->differentiable;
    Tensors result;
    size_t next = 0;
    for (size_t i = 0; i < differentiable.size(); ++i) {
      if (!saved[differentiable[i]].defined()) continue;
      result.push_back(wanted.get(i) ? found[next++] : at::Tensor());
    }
    result.resize(result.size() + 2);  // the function, and the stack of arguments
    return result;
  }
};

std::vector<size_t> wanted_positions(const LayerFunction& function, Values arguments,
                                     const c10::List<bool>& wanted) {
  const auto differentiable = function.differentiable;
  check_usage(wanted.size() == differentiable.size(), function.name,
              "_backward: `wanted` must have ", differentiable.size(), " entries, got ",
              wanted.size());
  std::vector<size_t> positions;
  for (size_t i = 0; i < differentiable.size(); ++i) {
    if (wanted.get(i) && arguments[differentiable[i]].isTensor()) {
      positions.push_back(differentiable[i]);
    }
  }
  return positions;
}

// Meta is asked where one tensor is there; the others must be as well, but for seeds.
void check_on_meta(const LayerFunction& function, Values arguments) {
  for (const auto& argument : arguments) {
    const auto tensor = tensor_or_undefined(argument);
    check_usage(!tensor.defined() || tensor.is_meta() || tensor.dim() == 0, function.name,
                ": expected all tensors on one device, got ", TensorText{tensor, true},
                " beside others on meta");
  }
}

void check_layer_grads(const LayerFunction& function, const Tensors& grads,
                       const Tensors& outputs) {
  check_usage(grads.size() == outputs.size(), function.name, "_backward: expected ", outputs.size(),
              " gradients, one for each output, got ", grads.size());
  for (size_t i = 0; i < grads.size(); ++i) {
    const at::Tensor &grad = grads[i], &output = outputs[i];
    const bool fits = grad.defined() && grad.layout() == at::kStrided &&
                      grad.scalar_type() == output.scalar_type() &&
                      grad.device() == output.device() && grad.dim() == output.dim();
    const bool asks_sizes = fits && !has_symbols(grad) && !has_symbols(output);
    check_usage(fits && (!asks_sizes || grad.sizes() == output.sizes()), function.name,
                "_backward: expected gradient ", i, " to be like the output, ",
                TensorText{output, true}, ", got ", TensorText{grad, true});
  }
}

Tensors layer_gradients(const Tensors& outputs, const Tensors& grads, const Tensors& asked) {
  Tensors of, with;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].requires_grad()) continue;
    of.push_back(outputs[i]);
    with.push_back(grads[i].detach());
  }
  auto found = torch::autograd::grad(of, asked, with, /*retain_graph=*/false,
                                     /*create_graph=*/false, /*allow_unused=*/true);
  for (size_t i = 0; i < found.size(); ++i) {
    found[i] = found[i].defined() ? found[i].contiguous() : at::zeros_like(asked[i].detach());
  }
  return found;
}

// "Tensor x, float eps=1e-5" -> "Tensor x, float eps"
std::string without_defaults(const std::string& arguments) {
  std::string result;
  bool skips = false;
  for (const char c : arguments) {
    skips = c == '=' || (skips && c != ',');
    if (!skips) result += c;
  }
  return result;
}

}  // namespace

void define_layer_operator(torch::Library& library, const std::string& schema) {
  const size_t open = schema.find('('), close = schema.rfind(") ->");
  const std::string backward = schema.substr(0, open) + "_backward(Tensor[] grads, " +
                               without_defaults(schema.substr(open + 1, close - open - 1)) +
                               ", bool[] wanted) -> Tensor[]";
  library.def(schema.c_str(), {at::Tag::pt2_compliant_tag});
  library.def(backward.c_str(), {at::Tag::pt2_compliant_tag});
}

namespace layer_kernels {

void forward(const LayerFunction& function, const Handle& handle, Stack& stack) {
  const at::NoGradGuard no_grad;
  const auto arguments = top_arguments(handle, stack);
  Tensors results = function.compute(arguments);
  for (at::Tensor& result : results) {
    for (const auto& argument : arguments) {
      const auto input = tensor_or_undefined(argument);
      if (input.defined() && result.is_alias_of(input)) result = result.clone();
    }
    result = result.contiguous();
  }
  replace_arguments(handle, stack, results);
}

void batched(const LayerFunction& function, const Handle& handle, Stack& stack) {
  replace_arguments(handle, stack, function.compute(top_arguments(handle, stack)));
}

void meta(const LayerFunction& function, const Handle& handle, Stack& stack) {
  const auto arguments = top_arguments(handle, stack);
  check_on_meta(function, arguments);
  replace_arguments(handle, stack, function.meta(arguments));
}

void autograd(const LayerFunction& function, const Handle& handle, Stack& stack) {
  const auto arguments = top_arguments(handle, stack);
  Tensors tensors;
  for (const auto& argument : arguments) tensors.push_back(tensor_or_undefined(argument));
  if (in_functorch() || !is_traced(tensors)) {
    replace_arguments(handle, stack, function.compute(arguments));
    return;
  }
  Tensors inputs;
  for (const size_t position : function.differentiable) {
    if (tensors[position].defined()) inputs.push_back(tensors[position]);
  }
  replace_arguments(handle, stack,
                    TracedLayer::apply(at::TensorList(inputs), &function,
                                       Stack(arguments.begin(), arguments.end())));
}

void backward(const LayerFunction& function, const Handle& handle, Stack& stack) {
  const WithAutograd with_autograd;
  const auto view = top_arguments(handle, stack);
  const auto grads = view[0].toTensorVector();
  Stack arguments(view.begin() + 1, view.end() - 1);
  Tensors asked;
  for (const size_t position : wanted_positions(function, arguments, view.back().toBoolList())) {
    asked.push_back(arguments[position].toTensor().detach().requires_grad_());
    arguments[position] = asked.back();
  }
  Tensors found;
  if (!asked.empty()) {
    const Tensors outputs = function.compute(arguments);
    check_layer_grads(function, grads, outputs);
    found = layer_gradients(outputs, grads, asked);
  }
  stack.resize(stack.size() - arguments_of(handle));
  stack.emplace_back(std::move(found));
}

void meta_backward(const LayerFunction& function, const Handle& handle, Stack& stack) {
  const auto view = top_arguments(handle, stack);
  const auto arguments = view.slice(1, view.size() - 2);
  check_on_meta(function, arguments);
  check_layer_grads(function, view[0].toTensorVector(), function.meta(arguments));
  Tensors found;
  for (const size_t position : wanted_positions(function, arguments, view.back().toBoolList())) {
    const auto tensor = arguments[position].toTensor();
    found.push_back(at::empty_symint(tensor.sym_sizes(), tensor.options()));
  }
  stack.resize(stack.size() - arguments_of(handle));
  stack.emplace_back(std::move(found));
}

}  // namespace layer_kernels
}  // namespace heed
