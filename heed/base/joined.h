// Lists of names in a text.
#pragma once

#include <string>
#include <vector>

namespace heed {

// "a, b, c".
inline std::string joined(const std::vector<std::string>& parts, const char* separator = ", ") {
  std::string all;
  for (size_t i = 0; i < parts.size(); ++i) all += (i > 0 ? separator : "") + parts[i];
  return all;
}

}  // namespace heed
