// printf's formats as a string.
#pragma once

#include <cstdio>
#include <string>

namespace heed {

// formatted(" %3.0f%%", 12.5) -> "  12%"; what is beyond 255 bytes is cut.
template <typename... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, arguments...);
  return buffer;
}

}  // namespace heed
