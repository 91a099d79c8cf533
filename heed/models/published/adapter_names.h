// Names of layers as adapters and `peft` have them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "heed/models/published/architecture.h"

namespace heed::models::published {

inline constexpr std::string_view kWeightEnding = ".weight";

inline std::string without_ending(std::string name, std::string_view ending) {
  if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  return name;
}

// A module's name, of the name that its tensors have in files.
inline std::string module_name(std::string name, const Plan& plan) {
  for (const auto& [theirs, module] : plan.module_names) {
    const size_t at = name.find(theirs);
    if (at != std::string::npos) name.replace(at, theirs.size(), module);
  }
  return name;
}

// "bert.encoder.layer.0.attention.self.query" -> "query".
inline std::string last_name(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// As peft matches target_modules.
inline bool is_target(const std::string& name, const std::vector<std::string>& targets) {
  return std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
    return name == target || name.ends_with("." + target);
  });
}

}  // namespace heed::models::published
