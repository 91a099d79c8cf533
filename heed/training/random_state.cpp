#include "heed/training/random_state.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <mutex>

namespace heed::training {
namespace {

at::Tensor state_of(at::Generator generator) {
  const std::lock_guard lock(generator.mutex());
  return generator.get_state();
}

void set_state_of(at::Generator generator, const at::Tensor& state) {
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state);
}

}  // namespace

RandomState RandomState::take(c10::Device device) {
  RandomState state{.cpu = state_of(at::detail::getDefaultCPUGenerator()), .cuda = {}};
  if (device.is_cuda()) state.cuda = state_of(at::globalContext().defaultGenerator(device));
  return state;
}

void RandomState::put_back(c10::Device device) const {
  set_state_of(at::detail::getDefaultCPUGenerator(), cpu);
  if (device.is_cuda() && cuda.defined()) {
    set_state_of(at::globalContext().defaultGenerator(device), cuda);
  }
}

}  // namespace heed::training
