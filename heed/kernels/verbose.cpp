#include "heed/kernels/verbose.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace heed::kernels {

bool is_verbose() {
  static const bool verbose = [] {
    const char* value = std::getenv("HEED_VERBOSE");
    return value != nullptr && *value != '\0' && std::strcmp(value, "0") != 0;
  }();
  return verbose;
}

void say_verbose(const std::string& line) {
  // One call, so that lines of several threads do not mix.
  std::fputs(("heed: " + line + "\n").c_str(), stderr);
}

}  // namespace heed::kernels
