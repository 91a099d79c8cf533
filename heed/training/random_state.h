// The state of torch's default generators, to be taken and put back.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace heed::training {

struct RandomState {
  at::Tensor cpu;   // bytes
  at::Tensor cuda;  // bytes; undefined without a CUDA device

  static RandomState take(c10::Device device);
  void put_back(c10::Device device) const;
};

}  // namespace heed::training
