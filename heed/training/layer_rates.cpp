#include "heed/training/layer_rates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "heed/base/error.h"

namespace heed::training {
namespace {

constexpr std::string_view kLayer = ".layer_";

// "published.encoder.encoder.layer_3.attention.output.weight" -> "published.encoder.encoder".
std::string stack_of(const std::string& name) { return name.substr(0, name.find(kLayer)); }

bool is_in_layer(const std::string& name) { return name.find(kLayer) != std::string::npos; }

int64_t layer_of(const std::string& name) {
  return std::stoll(name.substr(name.find(kLayer) + kLayer.size()));
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
    if (!is_in_layer(name)) continue;
    int64_t& count = layers[stack_of(name)];
    count = std::max(count, layer_of(name) + 1);
  }
  int64_t deepest = 0;
  for (const auto& [stack, count] : layers) deepest = std::max(deepest, count);
  std::vector<double> factors;
  for (const auto& [name, tensor] : parameters) {
    int64_t above = 0;
    if (is_in_layer(name)) {
      above = layers[stack_of(name)] - layer_of(name);
    } else if (is_input(name)) {
      above = deepest + 1;
    }
    factors.push_back(std::pow(decay, static_cast<double>(above)));
  }
  return factors;
}

}  // namespace heed::training
