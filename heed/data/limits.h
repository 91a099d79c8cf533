// How much a file may hold, so that what is too large is refused before memory runs out.
#pragma once

#include <cstdint>
#include <string_view>

namespace heed::data {

struct Limits {
  // Bytes of all rows of a file, after decompression and with what keeping a row takes; 0: half of
  // the memory that is free.
  uint64_t most_bytes = 0;
  int64_t most_classes = 10'000;
};

// most_bytes, told where it is 0.
uint64_t bytes_allowed(const Limits& limits);

// Bytes that this process may still take: of the machine, its control group and its own limit.
uint64_t free_memory();

// "250000000", "4G", "512M", "64K" (powers of 1024) -> bytes. Throws UsageError for anything else.
uint64_t bytes_named(std::string_view text);

}  // namespace heed::data
