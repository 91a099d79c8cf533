// What the names of parameters say of their place in a model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heed::nn {

inline constexpr std::string_view kLayerOfStack = ".layer_";

// "encoder.layer_3.attention.output.weight" -> 3, from 0; −1: it is in no layer of a stack.
inline int64_t layer_in(const std::string& parameter) {
  const size_t at = parameter.find(kLayerOfStack);
  return at == std::string::npos ? -1 : std::stoll(parameter.substr(at + kLayerOfStack.size()));
}

}  // namespace heed::nn
