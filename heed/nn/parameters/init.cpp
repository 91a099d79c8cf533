#include "heed/nn/parameters/init.h"

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

constexpr std::array<std::pair<std::string_view, Init>, 6> kInitNames{{
    {"xavier_uniform", Init::kXavierUniform},
    {"xavier_normal", Init::kXavierNormal},
    {"scaled_normal", Init::kScaledNormal},
    {"small_normal", Init::kSmallNormal},
    {"residual_normal", Init::kResidualNormal},
    {"small_embedding", Init::kSmallEmbedding},
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

Init init_from(std::string_view name) {
  for (const auto& [each, value] : kInitNames) {
    if (each == name) return value;
  }
  throw UsageError(text_of("init: expected one of ", joined(init_names()), ", got '", name, "'"));
}

std::vector<std::string> init_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : kInitNames) names.emplace_back(name);
  return names;
}

std::string name_of(Init init) {
  for (const auto& [name, value] : kInitNames) {
    if (value == init) return std::string(name);
  }
  throw UsageError("init: not one of the known ones");
}

SkipInit::SkipInit() : before_(leaves_out) { leaves_out = true; }
SkipInit::~SkipInit() { leaves_out = before_; }

bool init_is_on() { return !leaves_out; }

void init_weight(at::Tensor& weight, Init init) {
  check_usage(weight.dim() == 2, "init_weight: expected a matrix (out, in), got shape ",
              weight.sizes());
  if (!init_is_on()) return;
  const c10::AutoGradMode no_gradients(false);
  const auto out = static_cast<double>(weight.size(0));
  const auto in = static_cast<double>(weight.size(1));
  switch (init) {
    case Init::kXavierUniform:
    case Init::kSmallEmbedding: {
      const double reach = std::sqrt(6 / (in + out));
      weight.uniform_(-reach, reach);
      return;
    }
    case Init::kXavierNormal:
      weight.normal_(0, std::sqrt(2 / (in + out)));
      return;
    case Init::kScaledNormal:
      weight.normal_(0, std::sqrt(1 / in));
      return;
    case Init::kSmallNormal:
    case Init::kResidualNormal:
      weight.normal_(0, 0.02);
      return;
  }
}

void init_linear_layers(torch::nn::Module& model, Init init) {
  if (!init_is_on()) return;
  std::map<std::string, int64_t> parts;  // that add to the residual path of each stack
  const auto modules = model.named_modules({}, /*include_self=*/false);
  for (const auto& item : modules) {
    if (adds_to_residual_path(item.key())) ++parts[stack_of(item.key())];
  }
  for (const auto& item : modules) {
    const auto linear = std::dynamic_pointer_cast<Linear>(item.value());
    if (!linear) continue;
    init_weight(linear->weight, init);
    if (init == Init::kResidualNormal && adds_to_residual_path(item.key())) {
      const c10::AutoGradMode no_gradients(false);
      linear->weight.div_(std::sqrt(static_cast<double>(parts[stack_of(item.key())])));
    }
  }
}

}  // namespace heed::nn
