#include "heed/data/memory.h"

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/data/limits.h"

namespace heed::data {

void check_fits(uint64_t bytes, const std::string& what, const std::string& advice) {
  const uint64_t free = free_memory();
  const auto gib = [](uint64_t count) { return static_cast<double>(count) / (1 << 30); };
  check_usage(bytes <= free, what, formatted(": takes about %.1f GiB of memory", gib(bytes)),
              formatted(", of which %.1f GiB are free; ", gib(free)), advice);
}

}  // namespace heed::data
