#include "heed/training/layer_rates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/nn/parameters/parameter_names.h"

namespace heed::training {
namespace {

// "published.encoder.encoder.layer_3.attention.output.weight" -> "published.encoder.encoder".
std::string stack_of(const std::string& name) {
  return name.substr(0, name.find(nn::kLayerOfStack));
}

// What lies below the layers.
bool is_input(const std::string& name) {
  constexpr std::array<std::string_view, 6> kInputs = {".input.",  ".embedding.", ".positions.",
                                                       ".source.", ".target.",    ".words."};
  const std::string dotted = text_of('.', name);
  return std::any_of(kInputs.begin(), kInputs.end(),
                     [&](std::string_view each) { return dotted.find(each) != std::string::npos; });
}

}  // namespace

std::vector<double> rate_factors(const NamedTensors& parameters, double decay) {
  std::map<std::string, int64_t> layers;  // of each stack
  for (const auto& [name, tensor] : parameters) {
    const int64_t layer = nn::layer_in(name);
    if (layer < 0) continue;
    int64_t& count = layers[stack_of(name)];
    count = std::max(count, layer + 1);
  }
  int64_t deepest = 0;
  for (const auto& [stack, count] : layers) deepest = std::max(deepest, count);
  std::vector<double> factors;
  for (const auto& [name, tensor] : parameters) {
    int64_t above = 0;
    if (const int64_t layer = nn::layer_in(name); layer >= 0) {
      above = layers[stack_of(name)] - layer;
    } else if (is_input(name)) {
      above = deepest + 1;
    }
    factors.push_back(std::pow(decay, static_cast<double>(above)));
  }
  return factors;
}

}  // namespace heed::training
