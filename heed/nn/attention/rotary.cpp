#include "heed/nn/attention/rotary.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "heed/base/error.h"
#include "heed/nn/attention/growing_table.h"

namespace heed::nn {
namespace {

using Frequencies = std::vector<double>;

// base^(−2i / D) of each pair i.
Frequencies plain_frequencies(const RotaryOptions& options) {
  const auto size = static_cast<double>(options.size);
  const at::Tensor pair = at::arange(options.size / 2, at::kDouble);
  const at::Tensor all = (pair * (-2 / size * std::log(options.base))).exp();
  const auto* data = all.const_data_ptr<double>();
  return {data, data + all.numel()};
}

// Long waves are stretched by the factor, short ones kept, those between mixed.
//                                                 Llama 3.1's reference program, apply_scaling
void scale_llama3(Frequencies& frequencies, const RotaryScaling& s) {
  for (double& frequency : frequencies) {
    const double rotations = s.original_length * frequency / (2 * std::numbers::pi);
    const double kept =
        std::clamp((rotations - s.low_factor) / (s.high_factor - s.low_factor), 0.0, 1.0);
    frequency = (1 - kept) * frequency / s.factor + kept * frequency;
  }
}

// The pair that rotates so often within the original length.               Peng et al. 2023, eq. 18
double pair_of_rotations(double rotations, const RotaryOptions& o) {
  return static_cast<double>(o.size) *
         std::log(o.scaling.original_length / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(o.base));
}

// Between two pairs the share that is kept falls from 1 to 0.             Peng et al. 2023, eq. 23
void scale_yarn(Frequencies& frequencies, const RotaryOptions& o) {
  const RotaryScaling& s = o.scaling;
  const double low = std::max(std::floor(pair_of_rotations(s.fast, o)), 0.0);
  double high = std::min(std::ceil(pair_of_rotations(s.slow, o)), static_cast<double>(o.size - 1));
  if (high == low) high += 0.001;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double scaled = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / s.factor * scaled + frequencies[i] * (1 - scaled);
  }
}

Frequencies frequencies_of(const RotaryOptions& options) {
  Frequencies all = plain_frequencies(options);
  const RotaryScaling& scaling = options.scaling;
  if (scaling.kind == "none") return all;
  if (scaling.kind == "linear") {
    for (double& frequency : all) frequency /= scaling.factor;
    return all;
  }
  check_usage(scaling.kind == "llama3" || scaling.kind == "yarn",
              "rotary scaling: expected one of none, linear, llama3, yarn, got '", scaling.kind,
              "'");
  check_usage(scaling.original_length > 0 && scaling.high_factor > scaling.low_factor &&
                  scaling.fast > 0 && scaling.slow > 0,
              "rotary scaling: expected the length of the training and factors above 0, the high "
              "one above the low one");
  if (scaling.kind == "llama3") {
    scale_llama3(all, scaling);
  } else {
    scale_yarn(all, options);
  }
  return all;
}

// n · frequency for the first positions n, (positions, D/2). In double: float32 loses the phase of
// large positions.
at::Tensor angles_of(const RotaryOptions& options, int64_t positions) {
  const auto doubles = at::TensorOptions(at::kDouble);
  return at::arange(positions, doubles).unsqueeze(1) * at::tensor(frequencies_of(options), doubles);
}

}  // namespace

Rotary::Rotary(const RotaryOptions& options)
    : cosine_(std::make_shared<const GrowingTable>([options](int64_t rows) {
        return (angles_of(options, rows).cos() * options.scaling.attention_factor).to(at::kFloat);
      })),
      sine_(std::make_shared<const GrowingTable>([options](int64_t rows) {
        return (angles_of(options, rows).sin() * options.scaling.attention_factor).to(at::kFloat);
      })) {
  check_usage(options.size > 0 && options.size % 2 == 0,
              "rotary positions: expected an even size of the heads, got ", options.size);
  frequencies_of(options);  // throws here and not at the first text
}

Rotary::Angles Rotary::angles(const TokenPositions& positions, int64_t length,
                              at::Device device) const {
  const int64_t end = end_of(positions, length);
  const at::Tensor cosine = cosine_->first(end, device);
  const at::Tensor sine = sine_->first(end, device);
  if (!positions.starts.defined()) {
    return {.cosine = cosine.slice(0, positions.start, end),
            .sine = sine.slice(0, positions.start, end)};
  }
  const at::Tensor rows = positions_of(positions, length, device);
  return {.cosine = cosine.index({rows}), .sine = sine.index({rows})};
}

}  // namespace heed::nn
