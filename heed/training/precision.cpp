#include "heed/training/precision.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::training {
namespace {

constexpr int64_t kGoodStepsToGrow = 2000;
constexpr double kLargestScale = 16777216;  // 2^24

}  // namespace

std::vector<std::string> precision_names() { return {"float32", "bfloat16", "float16"}; }

Precision precision_from(const std::string& name, c10::Device device) {
  if (name == "float32") return Precision::kFloat32;
  if (name == "bfloat16") return Precision::kBfloat16;
  check_usage(name == "float16", "dtype: expected one of ", joined(precision_names()), ", got '",
              name, "'");
  check_usage(device.is_cuda(), "dtype: float16 needs device cuda; on a CPU choose bfloat16");
  return Precision::kFloat16;
}

c10::Device device_from(const std::string& name) {
  if (name == "cpu") return {c10::kCPU};
  const std::string prefix = "cuda:";
  const bool numbered = name.starts_with(prefix) && name.size() > prefix.size() &&
                        name.size() < prefix.size() + 3 &&
                        name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
  check_usage(name == "cuda" || numbered, "device: expected cpu, cuda or cuda:NUMBER, got '", name,
              "'");
  check_usage(at::hasCUDA(), "device: '", name, "' was asked for, but ",
              "this build of torch or this machine has no CUDA; choose cpu");
  const int index = numbered ? std::stoi(name.substr(prefix.size())) : 0;
  const int count = at::detail::getCUDAHooks().deviceCount();
  check_usage(index < count, "device: expected a number below ", count,
              ", which is how many there are, got '", name, "'");
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

Autocast::Autocast(c10::Device device, Precision precision)
    : type_(device.type()), is_on_(precision != Precision::kFloat32) {
  if (!is_on_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(type_);
  was_dtype_ = at::autocast::get_autocast_dtype(type_);
  at::autocast::set_autocast_dtype(type_,
                                   precision == Precision::kFloat16 ? at::kHalf : at::kBFloat16);
  at::autocast::set_autocast_enabled(type_, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!is_on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, was_enabled_);
  at::autocast::set_autocast_dtype(type_, was_dtype_);
}

bool LossScale::update(bool gradients_are_finite) {
  if (!is_on_) return true;
  if (gradients_are_finite) {
    if (++good_steps_ >= kGoodStepsToGrow && value_ < kLargestScale) {
      value_ *= 2;
      good_steps_ = 0;
    }
    return true;
  }
  good_steps_ = 0;
  if (value_ <= 1) return true;  // not the scale's fault
  value_ /= 2;
  return false;
}

void LossScale::restore(const State& state) {
  value_ = state.value;
  good_steps_ = state.good_steps;
}

}  // namespace heed::training
