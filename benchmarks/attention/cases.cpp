#include "benchmarks/attention/cases.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::bench {

std::string text_of_sizes(const Sizes& s) {
  return text_of("B", s.batch, " H", s.heads, " N", s.length, " D", s.size);
}

Inputs make_inputs(const Sizes& s, at::ScalarType type) {
  const auto make = [&] { return at::randn({s.batch, s.heads, s.length, s.size}).to(type); };
  return {make(), make(), make(), make()};
}

Side heed_side(const AttentionOptions& options) {
  return {.attend = [options](const Inputs& in) {
    return attention(in.query, in.key, in.value, options).output;
  }};
}

Side sdpa_side(const SdpaOptions& options) {
  return {.attend = [options](const Inputs& in) {
    const auto mask = options.mask.defined() ? std::optional(options.mask) : std::nullopt;
    return at::scaled_dot_product_attention(in.query, in.key, in.value, mask, options.dropout,
                                            options.causal);
  }};
}

Run run_of(const std::string& pass, const Inputs& inputs, const Side& side) {
  if (pass == "forward") {
    return [inputs, side] {
      const at::NoGradGuard no_grad;
      return side.attend(inputs);
    };
  }
  Inputs leaves = inputs;
  for (at::Tensor* tensor : {&leaves.query, &leaves.key, &leaves.value}) {
    *tensor = tensor->detach().requires_grad_();
  }
  std::vector<at::Tensor> wanted = {leaves.query, leaves.key, leaves.value};
  wanted.insert(wanted.end(), side.learned.begin(), side.learned.end());
  if (pass == "backward") {
    const at::Tensor output = side.attend(leaves);
    return [output, wanted, grad = leaves.grad_output] {
      return torch::autograd::grad({output}, wanted, {grad}, /*retain_graph=*/true)[1];
    };
  }
  return [leaves, wanted, side] {
    return torch::autograd::grad({side.attend(leaves)}, wanted, {leaves.grad_output})[1];
  };
}

double operations_of(const std::string& pass, const Sizes& s, double pairs) {
  const double products = pass == "forward" ? 2 : pass == "backward" ? 5 : 7;
  return 2 * products * static_cast<double>(s.batch * s.heads * s.size) * pairs;
}

double full_pairs(const Sizes& s) { return static_cast<double>(s.length * s.length); }

double causal_pairs(const Sizes& s) { return static_cast<double>(s.length * (s.length + 1) / 2); }

double window_pairs(const Sizes& s, int64_t left, int64_t right) {
  int64_t pairs = 0;
  for (int64_t i = 0; i < s.length; ++i) {
    pairs += std::min(s.length - 1, i + right) - std::max<int64_t>(0, i - left) + 1;
  }
  return static_cast<double>(pairs);
}

}  // namespace heed::bench
