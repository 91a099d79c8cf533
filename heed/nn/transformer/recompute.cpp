#include "heed/nn/transformer/recompute.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <mutex>
#include <utility>

namespace heed::nn {
namespace {

thread_local bool wanted_here = false;

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor random_state() {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::scoped_lock lock(generator.mutex());
  return generator.get_state();
}

void set_random_state(const at::Tensor& state) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::scoped_lock lock(generator.mutex());
  generator.set_state(state);
}

// torch's autocast on a kind of device.
struct AutocastState {
  at::DeviceType device;
  bool enabled;
  at::ScalarType type;

  static AutocastState of(at::DeviceType device) {
    return {device, at::autocast::is_autocast_enabled(device),
            at::autocast::get_autocast_dtype(device)};
  }
  void put_back() const {
    at::autocast::set_autocast_dtype(device, type);
    at::autocast::set_autocast_enabled(device, enabled);
  }
};

// What the forward pass found, as the backward pass needs it again.
struct Call : torch::CustomClassHolder {
  Call(TensorFunction f, size_t count, const at::Tensor& first_input)
      : function(std::move(f)),
        inputs(count),
        random(random_state()),
        autocast(AutocastState::of(first_input.device().type())) {}

  TensorFunction function;
  size_t inputs;  // of the saved tensors; the others are parameters
  at::Tensor random;
  AutocastState autocast;
};

// As the forward pass was, for as long as it lives.
class Again {
 public:
  explicit Again(const Call& call)
      : random_(random_state()), autocast_(AutocastState::of(call.autocast.device)) {
    set_random_state(call.random);
    call.autocast.put_back();
    at::autocast::increment_nesting();
  }
  ~Again() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    autocast_.put_back();
    set_random_state(random_);
  }
  Again(const Again&) = delete;
  Again& operator=(const Again&) = delete;

 private:
  at::Tensor random_;
  AutocastState autocast_;
};

class Recomputed : public torch::autograd::Function<Recomputed> {
 public:
  // all: the inputs and, behind them, the parameters.
  static at::Tensor forward(AutogradContext* context, at::TensorList all,
                            const c10::intrusive_ptr<Call>& call) {
    context->save_for_backward(variable_list(all.begin(), all.end()));
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    // With gradients, though nobody wants them here: without, each layer would keep a packed copy
    // of its weights (heed/ops/linear.h).
    const c10::AutoGradMode gradients(true);
    return call->function(leaves_of(*call, all)).detach();
  }

  // The inputs, apart from the graph that they came from.
  static variable_list leaves_of(const Call& call, at::TensorList all) {
    variable_list leaves;
    for (size_t i = 0; i < call.inputs; ++i) {
      leaves.push_back(all[i].detach().requires_grad_(all[i].requires_grad()));
    }
    return leaves;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto call =
        c10::static_intrusive_pointer_cast<Call>(context->saved_data["call"].toCapsule());
    const variable_list saved = context->get_saved_variables();
    const c10::AutoGradMode gradients(true);
    variable_list leaves = leaves_of(*call, saved);
    at::Tensor output;
    {
      const Again again(*call);
      output = call->function(leaves);
    }
    leaves.insert(leaves.end(), saved.begin() + static_cast<std::ptrdiff_t>(call->inputs),
                  saved.end());
    variable_list asked;
    for (const at::Tensor& leaf : leaves) {
      if (leaf.requires_grad()) asked.push_back(leaf);
    }
    const variable_list found =
        torch::autograd::grad({output}, asked, {grads[0]}, /*retain_graph=*/false,
                              /*create_graph=*/false, /*allow_unused=*/true);
    variable_list result;
    size_t next = 0;
    for (const at::Tensor& leaf : leaves) {
      result.push_back(leaf.requires_grad() ? found[next++] : at::Tensor());
    }
    result.emplace_back();  // of the call
    return result;
  }
};

}  // namespace

at::Tensor recomputed(const TensorFunction& function, const std::vector<at::Tensor>& inputs,
                      const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> all = inputs;
  all.insert(all.end(), parameters.begin(), parameters.end());
  return Recomputed::apply(at::TensorList(all),
                           c10::make_intrusive<Call>(function, inputs.size(), inputs[0]));
}

GradientCheckpointing::GradientCheckpointing(bool wanted) : before_(wanted_here) {
  wanted_here = wanted;
}
GradientCheckpointing::~GradientCheckpointing() { wanted_here = before_; }

bool GradientCheckpointing::is_on() { return wanted_here && at::GradMode::is_enabled(); }

}  // namespace heed::nn
