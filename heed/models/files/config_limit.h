// How large config.json may be.
#pragma once

#include <cstdint>

namespace heed::models {

inline constexpr uint64_t kLargestConfig = 64 << 20;  // bytes

}  // namespace heed::models
