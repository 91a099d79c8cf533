#include "heed/data/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// The number behind `name` in a file of lines "NAME number kB"; kUnlimited without it.
uint64_t kilobytes_of(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    uint64_t value = kUnlimited;
    const size_t begin = line.find_first_of("0123456789");
    if (begin == std::string::npos) return kUnlimited;
    std::from_chars(line.data() + begin, line.data() + line.size(), value);
    return value == kUnlimited ? kUnlimited : value * 1024;
  }
  return kUnlimited;
}

// The one number of a file; kUnlimited where it says "max" or is not there.
uint64_t number_in(const char* file) {
  std::ifstream in(file);
  uint64_t value = 0;
  return in >> value ? value : kUnlimited;
}

uint64_t left(uint64_t most, uint64_t used) {
  if (most == kUnlimited || used == kUnlimited) return kUnlimited;
  return most > used ? most - used : 0;
}

}  // namespace

uint64_t free_memory() {
  const uint64_t machine = kilobytes_of("/proc/meminfo", "MemAvailable:");
  const uint64_t group =
      left(number_in("/sys/fs/cgroup/memory.max"), number_in("/sys/fs/cgroup/memory.current"));
  uint64_t own = kUnlimited;
  rlimit limit;
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    own = left(limit.rlim_cur, kilobytes_of("/proc/self/status", "VmSize:"));
  }
  return std::min({machine, group, own});
}

uint64_t bytes_allowed(const Limits& limits) {
  return limits.most_bytes > 0 ? limits.most_bytes : free_memory() / 2;
}

uint64_t bytes_named(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const size_t power = std::string_view("KMGT").find(unit.empty() ? '?' : unit[0]);
  const int shift = unit.empty() ? 0 : static_cast<int>(power + 1) * 10;
  const bool fits = error == std::errc() && unit.size() <= 1 &&
                    (unit.empty() || power != std::string_view::npos) &&
                    (shift == 0 || number <= kUnlimited >> shift);
  check_usage(fits,
              "max_bytes: expected a number of bytes, with K, M, G or T behind it or not, got ",
              excerpt(text, 30));
  return number << shift;
}

}  // namespace heed::data
