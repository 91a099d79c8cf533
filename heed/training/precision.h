// Mixed precision: products in a short float, weights and sums in float32.
//                                                               Micikevicius et al. 2018, section 3
#pragma once

#include <ATen/core/ATen_fwd.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <vector>

namespace heed::training {

enum class Precision { kFloat32, kBfloat16, kFloat16 };

// "float32", "bfloat16" or "float16". UsageError for another name, and for float16 on a CPU, where
// it would be slower than float32.
std::vector<std::string> precision_names();
Precision precision_from(const std::string& name, c10::Device device);

// "cpu", "cuda" or "cuda:1". UsageError for another name, and where that device is not there.
c10::Device device_from(const std::string& name);

// torch's autocast on this thread for as long as it lives; nothing for float32.
class Autocast {
 public:
  Autocast(c10::Device device, Precision precision);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType type_;
  bool is_on_;
  bool was_enabled_ = false;
  at::ScalarType was_dtype_ = at::kFloat;
};

// What the loss is multiplied by so that small gradients do not vanish in float16: halved at a
// step whose gradients overflow (which is then left out), doubled after 2000 steps without one.
//                                                               Micikevicius et al. 2018,
//                                                               section 3.2
class LossScale {
 public:
  explicit LossScale(Precision precision)
      : value_(precision == Precision::kFloat16 ? 65536 : 1),
        is_on_(precision == Precision::kFloat16) {}

  bool is_on() const { return is_on_; }
  double value() const { return value_; }

  // Whether the step counts. False where the gradients overflowed and a smaller scale may help.
  bool update(bool gradients_are_finite);

  struct State {
    double value;
    int64_t good_steps;
  };
  State state() const { return {value_, good_steps_}; }
  void restore(const State& state);

 private:
  double value_;
  bool is_on_;
  int64_t good_steps_ = 0;
};

}  // namespace heed::training
