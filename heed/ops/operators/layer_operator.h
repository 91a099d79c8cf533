// Torch operators out of functions that have an autograd of their own.
//
// Eagerly a call goes straight to the function. Where torch traces (torch.compile, torch.export),
// two operators stand in the graph, NAME and NAME_backward; the second runs the function again,
// with autograd, instead of keeping what the function would have kept.
//
// An `Op` says:
//   kName            "heed::layer_norm"
//   kDifferentiable  the positions of the arguments that have gradients, ascending
//   compute          the results of the arguments; differentiable, and by torch's operators
//                    alone where no tensor is plain (plain_tensor.h), as under the transforms of
//                    torch.func
//   meta             what `compute` gives as shapes alone, which may be symbols
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/ops/attention/meta.h"
#include "heed/ops/attention/transforms.h"
#include "heed/ops/operators/boxed.h"
#include "heed/ops/operators/traced.h"
#include "heed/ops/tensor_text.h"

namespace heed {

using Tensors = std::vector<at::Tensor>;
using Values = at::ArrayRef<c10::IValue>;

template <class Op>
class LayerOperator {
 public:
  using Stack = torch::jit::Stack;
  using Handle = c10::OperatorHandle;

  // For every device: no autograd, results of their own memory.
  static void forward(const Handle& handle, Stack* stack) {
    const at::NoGradGuard no_grad;
    const auto arguments = top_arguments(handle, *stack);
    Tensors results = Op::compute(arguments);
    for (at::Tensor& result : results) {
      for (const auto& argument : arguments) {
        const auto input = tensor_or_undefined(argument);
        if (input.defined() && result.is_alias_of(input)) result = result.clone();
      }
      result = result.contiguous();
    }
    replace(handle, *stack, results);
  }

  // torch.vmap: torch's operators, each of which knows what to do with a dimension more.
  static void batched(const Handle& handle, Stack* stack) {
    replace(handle, *stack, Op::compute(top_arguments(handle, *stack)));
  }

  static void meta(const Handle& handle, Stack* stack) {
    const auto arguments = top_arguments(handle, *stack);
    check_on_meta(arguments);
    replace(handle, *stack, Op::meta(arguments));
  }

  static void autograd(const Handle& handle, Stack* stack) {
    const auto arguments = top_arguments(handle, *stack);
    Tensors tensors;
    for (const auto& argument : arguments) tensors.push_back(tensor_or_undefined(argument));
    if (in_functorch() || !is_traced(tensors)) {
      replace(handle, *stack, Op::compute(arguments));
      return;
    }
    Tensors inputs;
    for (const size_t position : Op::kDifferentiable) {
      if (tensors[position].defined()) inputs.push_back(tensors[position]);
    }
    replace(handle, *stack,
            Traced::apply(at::TensorList(inputs), Stack(arguments.begin(), arguments.end())));
  }

  // (grads, the arguments of the forward pass, wanted) -> the gradients that are wanted.
  static void backward(const Handle&, Stack* stack) {
    const WithAutograd with_autograd;
    const size_t count = arguments_of(operator_named(Op::kName));
    const auto view = Values(*stack).slice(stack->size() - count - 2);
    const auto grads = view[0].toTensorVector();
    Stack arguments(view.begin() + 1, view.end() - 1);
    Tensors asked;
    for (const size_t position : wanted_positions(arguments, view.back().toBoolList())) {
      asked.push_back(arguments[position].toTensor().detach().requires_grad_());
      arguments[position] = asked.back();
    }
    Tensors found;
    if (!asked.empty()) {
      const Tensors outputs = Op::compute(arguments);
      check_grads(grads, outputs);
      found = gradients(outputs, grads, asked);
    }
    stack->resize(stack->size() - count - 2);
    stack->emplace_back(std::move(found));
  }

  static void meta_backward(const Handle&, Stack* stack) {
    const size_t count = arguments_of(operator_named(Op::kName));
    const auto view = Values(*stack).slice(stack->size() - count - 2);
    const auto arguments = view.slice(1, count);
    check_on_meta(arguments);
    check_grads(view[0].toTensorVector(), Op::meta(arguments));
    Tensors found;
    for (const size_t position : wanted_positions(arguments, view.back().toBoolList())) {
      const auto tensor = arguments[position].toTensor();
      found.push_back(at::empty_symint(tensor.sym_sizes(), tensor.options()));
    }
    stack->resize(stack->size() - count - 2);
    stack->emplace_back(std::move(found));
  }

  // The operator `schema` ("layer_norm(Tensor input, …) -> Tensor") and its backward.
  static void define(torch::Library& library, const std::string& schema) {
    const size_t open = schema.find('('), close = schema.rfind(") ->");
    const std::string backward = schema.substr(0, open) + "_backward(Tensor[] grads, " +
                                 without_defaults(schema.substr(open + 1, close - open - 1)) +
                                 ", bool[] wanted) -> Tensor[]";
    library.def(schema.c_str(), {at::Tag::pt2_compliant_tag});
    library.def(backward.c_str(), {at::Tag::pt2_compliant_tag});
  }

 private:
  class Traced : public torch::autograd::Function<Traced> {
   public:
    using Context = torch::autograd::AutogradContext;

    static Tensors forward(Context* context, at::TensorList inputs, const Stack& arguments) {
      const at::AutoDispatchBelowADInplaceOrView below;
      Tensors saved;
      c10::List<bool> wanted;
      for (const size_t position : Op::kDifferentiable) {
        const auto tensor = tensor_or_undefined(arguments[position]);
        wanted.push_back(tensor.defined() && tensor.requires_grad());
      }
      auto others = c10::make_intrusive<OtherArguments>();
      others->values = arguments;
      for (auto& value : others->values) {
        saved.push_back(tensor_or_undefined(value));
        if (value.isTensor()) value = c10::IValue();
      }
      context->save_for_backward(saved);
      context->saved_data["others"] = c10::IValue::make_capsule(std::move(others));
      context->saved_data["wanted"] = wanted;
      context->saved_data["inputs"] = static_cast<int64_t>(inputs.size());
      Stack stack = arguments;
      operator_named(Op::kName).callBoxed(stack);
      Tensors results;
      for (const auto& value : stack) results.push_back(value.toTensor());
      return results;
    }

    static Tensors backward(Context* context, const Tensors& grads) {
      const auto others = c10::static_intrusive_pointer_cast<OtherArguments>(
          context->saved_data["others"].toCapsule());
      const auto saved = context->get_saved_variables();
      const auto wanted = context->saved_data["wanted"].toBoolList();
      Stack stack;
      stack.emplace_back(grads);
      for (size_t i = 0; i < saved.size(); ++i) {
        stack.push_back(saved[i].defined() ? c10::IValue(saved[i]) : others->values[i]);
      }
      stack.emplace_back(wanted);
      operator_named(std::string(Op::kName) + "_backward").callBoxed(stack);
      const auto found = stack[0].toTensorVector();
      Tensors result;
      size_t next = 0;
      for (size_t i = 0; i < Op::kDifferentiable.size(); ++i) {
        if (!saved[Op::kDifferentiable[i]].defined()) continue;
        result.push_back(wanted.get(i) ? found[next++] : at::Tensor());
      }
      result.emplace_back();  // the stack of arguments
      return result;
    }
  };

  static Handle operator_named(const std::string& name) {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "");
  }
  static size_t arguments_of(const Handle& handle) { return handle.schema().arguments().size(); }
  static Values top_arguments(const Handle& handle, const Stack& stack) {
    return Values(stack).slice(stack.size() - arguments_of(handle));
  }
  static void replace(const Handle& handle, Stack& stack, const Tensors& results) {
    stack.resize(stack.size() - arguments_of(handle));
    for (const auto& result : results) stack.emplace_back(result);
  }

  static std::vector<size_t> wanted_positions(Values arguments, const c10::List<bool>& wanted) {
    check_usage(wanted.size() == Op::kDifferentiable.size(), Op::kName,
                "_backward: `wanted` must have ", Op::kDifferentiable.size(), " entries, got ",
                wanted.size());
    std::vector<size_t> positions;
    for (size_t i = 0; i < Op::kDifferentiable.size(); ++i) {
      const size_t position = Op::kDifferentiable[i];
      if (wanted.get(i) && arguments[position].isTensor()) positions.push_back(position);
    }
    return positions;
  }

  // Meta is asked where one tensor is there; the others must be as well, but for seeds.
  static void check_on_meta(Values arguments) {
    for (const auto& argument : arguments) {
      const auto tensor = tensor_or_undefined(argument);
      check_usage(!tensor.defined() || tensor.is_meta() || tensor.dim() == 0, Op::kName,
                  ": expected all tensors on one device, got ", TensorText{tensor, true},
                  " beside others on meta");
    }
  }

  static void check_grads(const Tensors& grads, const Tensors& outputs) {
    check_usage(grads.size() == outputs.size(), Op::kName, "_backward: expected ", outputs.size(),
                " gradients, one for each output, got ", grads.size());
    for (size_t i = 0; i < grads.size(); ++i) {
      const at::Tensor &grad = grads[i], &output = outputs[i];
      const bool fits = grad.defined() && grad.layout() == at::kStrided &&
                        grad.scalar_type() == output.scalar_type() &&
                        grad.device() == output.device() && grad.dim() == output.dim();
      const bool asks_sizes = fits && !has_symbols(grad) && !has_symbols(output);
      check_usage(fits && (!asks_sizes || grad.sizes() == output.sizes()), Op::kName,
                  "_backward: expected gradient ", i, " to be like the output, ",
                  TensorText{output, true}, ", got ", TensorText{grad, true});
    }
  }

  static Tensors gradients(const Tensors& outputs, const Tensors& grads, const Tensors& asked) {
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
  static std::string without_defaults(const std::string& arguments) {
    std::string result;
    bool skips = false;
    for (const char c : arguments) {
      skips = c == '=' || (skips && c != ',');
      if (!skips) result += c;
    }
    return result;
  }
};

}  // namespace heed
