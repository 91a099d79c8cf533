// Refusing what would not fit into memory before it is begun.
#pragma once

#include <cstdint>
#include <string>

namespace heed::data {

// Throws UsageError where `bytes` are more than what is free: "WHAT: takes about 3.8 GiB of memory,
// of which 2.0 GiB are free; ADVICE".
void check_fits(uint64_t bytes, const std::string& what, const std::string& advice);

}  // namespace heed::data
