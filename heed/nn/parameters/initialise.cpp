#include "heed/nn/parameters/initialise.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/nn/layers/linear.h"

namespace heed::nn {
namespace {

thread_local bool leaves_out = false;

constexpr std::array<std::pair<std::string_view, Initialisation>, 6> kInitialisationNames{{
    {"xavier_uniform", Initialisation::kXavierUniform},
    {"xavier_normal", Initialisation::kXavierNormal},
    {"scaled_normal", Initialisation::kScaledNormal},
    {"small_normal", Initialisation::kSmallNormal},
    {"residual_normal", Initialisation::kResidualNormal},
    {"small_embedding", Initialisation::kSmallEmbedding},
}};

// "decoder.layer_3.attention.output": a part of a layer whose result is added to the residual path.
bool adds_to_residual_path(std::string_view name) {
  const auto ends_with = [&](std::string_view end) {
    return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
  };
  return name.find("layer_") != std::string_view::npos &&
         (ends_with(".output") || ends_with(".down"));
}

// "decoder.layer_3.attention.output" -> "decoder."
std::string stack_of(const std::string& name) { return name.substr(0, name.find("layer_")); }

}  // namespace

Initialisation initialisation_from(std::string_view name) {
  for (const auto& [each, value] : kInitialisationNames) {
    if (each == name) return value;
  }
  throw UsageError(text_of("initialisation: expected one of ", joined(initialisation_names()),
                           ", got '", name, "'"));
}

std::vector<std::string> initialisation_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : kInitialisationNames) names.emplace_back(name);
  return names;
}

std::string name_of(Initialisation initialisation) {
  for (const auto& [name, value] : kInitialisationNames) {
    if (value == initialisation) return std::string(name);
  }
  throw UsageError("initialisation: not one of the known ones");
}

WithoutInitialisation::WithoutInitialisation() : before_(leaves_out) { leaves_out = true; }
WithoutInitialisation::~WithoutInitialisation() { leaves_out = before_; }

bool is_initialised() { return !leaves_out; }

void initialise(at::Tensor& weight, Initialisation initialisation) {
  check_usage(weight.dim() == 2, "initialise: expected a matrix (out, in), got shape ",
              weight.sizes());
  if (!is_initialised()) return;
  const c10::AutoGradMode no_gradients(false);
  const auto out = static_cast<double>(weight.size(0));
  const auto in = static_cast<double>(weight.size(1));
  switch (initialisation) {
    case Initialisation::kXavierUniform:
    case Initialisation::kSmallEmbedding: {
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
    case Initialisation::kResidualNormal:
      weight.normal_(0, 0.02);
      return;
  }
}

void initialise_linear_layers(torch::nn::Module& model, Initialisation initialisation) {
  if (!is_initialised()) return;
  std::map<std::string, int64_t> parts;  // that add to the residual path of each stack
  const auto modules = model.named_modules({}, /*include_self=*/false);
  for (const auto& item : modules) {
    if (adds_to_residual_path(item.key())) ++parts[stack_of(item.key())];
  }
  for (const auto& item : modules) {
    const auto linear = std::dynamic_pointer_cast<Linear>(item.value());
    if (!linear) continue;
    initialise(linear->weight, initialisation);
    if (initialisation == Initialisation::kResidualNormal && adds_to_residual_path(item.key())) {
      const c10::AutoGradMode no_gradients(false);
      linear->weight.div_(std::sqrt(static_cast<double>(parts[stack_of(item.key())])));
    }
  }
}

}  // namespace heed::nn
