#include "heed/training/processes/gradient_reducer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <functional>
#include <utility>

namespace heed::training {

struct GradientBucket {
  std::vector<at::Tensor> parameters;
  at::Tensor flat;                // their gradients behind each other; made with the first ones
  std::vector<at::Tensor> parts;  // views of it, in the shapes of the parameters
  size_t ready = 0;
  ProcessGroup::Pending pending;

  void make_flat() {
    int64_t size = 0;
    for (const at::Tensor& parameter : parameters) size += parameter.numel();
    flat = at::empty({size}, parameters[0].options().requires_grad(false));
    int64_t place = 0;
    for (const at::Tensor& parameter : parameters) {
      parts.push_back(flat.narrow(0, place, parameter.numel()).view(parameter.sizes()));
      place += parameter.numel();
    }
  }
};

struct GradientReducer::State {
  State(std::vector<at::Tensor> parameters, ProcessGroup& of, int64_t bytes) : group(of) {
    int64_t filled = bytes;
    for (auto p = parameters.rbegin(); p != parameters.rend(); ++p) {
      const auto size = static_cast<int64_t>(p->nbytes());
      if (filled + size > bytes || buckets.back().parameters.back().dtype() != p->dtype()) {
        buckets.emplace_back();
        filled = 0;
      }
      buckets.back().parameters.push_back(*p);
      filled += size;
    }
  }

  // One more gradient of this bucket is complete.
  void arrived(size_t bucket) {
    if (!active) return;
    ++buckets[bucket].ready;
    // All processes send in the same order, or they would wait for each other for ever.
    while (sent < buckets.size() && buckets[sent].ready >= buckets[sent].parameters.size()) send();
  }

  void send() {
    const c10::AutoGradMode no_gradients(false);
    GradientBucket& bucket = buckets[sent++];
    if (!bucket.flat.defined()) bucket.make_flat();
    const at::Tensor factor = at::scalar_tensor(weight, at::kDouble);
    for (size_t i = 0; i < bucket.parts.size(); ++i) {
      const at::Tensor& gradient = bucket.parameters[i].grad();
      if (gradient.defined()) {
        at::mul_out(bucket.parts[i], gradient, factor);
      } else {
        bucket.parts[i].zero_();
      }
    }
    bucket.pending = group.sum_later(bucket.flat);
  }

  void receive(GradientBucket& bucket) {
    bucket.pending.wait();
    for (size_t i = 0; i < bucket.parts.size(); ++i) {
      bucket.parameters[i].mutable_grad() = bucket.parts[i];
    }
    bucket.ready = 0;
  }

  ProcessGroup& group;
  std::vector<GradientBucket> buckets;
  bool active = false;
  double weight = 1;
  size_t sent = 0;
};

namespace {

// Runs when the gradient of a parameter has its last part of a backward pass.
class Arrival final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit Arrival(std::function<void()> arrived) : arrived_(std::move(arrived)) {}
  void operator()(const torch::autograd::Variable& /*parameter*/) override { arrived_(); }

 private:
  std::function<void()> arrived_;
};

}  // namespace

GradientReducer::GradientReducer(std::vector<at::Tensor> parameters, ProcessGroup& group,
                                 const GradientReducerOptions& options)
    : state_(std::make_shared<State>(std::move(parameters), group, options.bucket_bytes)) {
  for (size_t b = 0; b < state_->buckets.size(); ++b) {
    for (const at::Tensor& parameter : state_->buckets[b].parameters) {
      const std::weak_ptr<State> state = state_;
      torch::autograd::impl::set_post_acc_grad_hooks(parameter,
                                                     std::make_unique<Arrival>([state, b] {
                                                       if (const auto alive = state.lock())
                                                         alive->arrived(b);
                                                     }));
    }
  }
}

GradientReducer::~GradientReducer() {
  for (const GradientBucket& bucket : state_->buckets) {
    for (const at::Tensor& parameter : bucket.parameters) {
      torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
    }
  }
}

void GradientReducer::begin(double weight) {
  state_->active = true;
  state_->weight = weight;
  state_->sent = 0;
}

void GradientReducer::send_rest() {
  while (state_->sent < state_->buckets.size()) state_->send();
}

void GradientReducer::finish() {
  send_rest();
  for (GradientBucket& bucket : state_->buckets) state_->receive(bucket);
  state_->active = false;
}

int64_t GradientReducer::buckets() const { return static_cast<int64_t>(state_->buckets.size()); }

}  // namespace heed::training
