// Looking at what torch's operations compute, whatever the network is.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <functional>
#include <string>
#include <utility>

namespace heed::training {

// A node of autograd's graph: std::shared_ptr or c10::intrusive_ptr, by the version of torch.
using NodePointer = std::decay_t<decltype(std::declval<const at::Tensor&>().grad_fn())>;

// The layer that a parameter belongs to: "encoder.layer_0.up" of "encoder.layer_0.up.weight".
std::string layer_of(const std::string& parameter);

// While it lives, every tensor that an operation on this thread takes or gives is looked at; those
// of what `look` itself computes are not. One at a time on a thread.
class OperationWatch {
 public:
  using Look = std::function<void(const at::Tensor& tensor)>;

  explicit OperationWatch(Look look);
  ~OperationWatch();
  OperationWatch(const OperationWatch&) = delete;
  OperationWatch& operator=(const OperationWatch&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace heed::training
