#include "heed/nn/initialise.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <array>
#include <cmath>
#include <utility>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

constexpr std::array<std::pair<std::string_view, Initialisation>, 4> kNames{{
    {"xavier_uniform", Initialisation::kXavierUniform},
    {"xavier_normal", Initialisation::kXavierNormal},
    {"scaled_normal", Initialisation::kScaledNormal},
    {"small_normal", Initialisation::kSmallNormal},
}};

}  // namespace

Initialisation initialisation_from(std::string_view name) {
  std::string known;
  for (const auto& [each, value] : kNames) {
    if (each == name) return value;
    known += text_of(known.empty() ? "" : ", ", each);
  }
  throw UsageError(text_of("initialisation: expected one of ", known, ", got '", name, "'"));
}

std::string name_of(Initialisation initialisation) {
  for (const auto& [name, value] : kNames) {
    if (value == initialisation) return std::string(name);
  }
  throw UsageError("initialisation: not one of the known ones");
}

void initialise(at::Tensor& weight, Initialisation initialisation) {
  check_usage(weight.dim() == 2, "initialise: expected a matrix (out, in), got shape ",
              weight.sizes());
  const c10::AutoGradMode no_gradients(false);
  const auto out = static_cast<double>(weight.size(0));
  const auto in = static_cast<double>(weight.size(1));
  switch (initialisation) {
    case Initialisation::kXavierUniform: {
      const double reach = std::sqrt(6 / (in + out));
      weight.uniform_(-reach, reach);
      return;
    }
    case Initialisation::kXavierNormal:
      weight.normal_(0, std::sqrt(2 / (in + out)));
      return;
    case Initialisation::kScaledNormal:
      weight.normal_(0, std::sqrt(1 / in));
      return;
    case Initialisation::kSmallNormal:
      weight.normal_(0, 0.02);
      return;
  }
}

}  // namespace heed::nn
