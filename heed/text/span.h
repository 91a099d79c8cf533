// A range of bytes [begin, end) of a text.
#pragma once

#include <cstdint>

namespace heed::text {

struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;

  uint32_t size() const { return end - begin; }
  friend bool operator==(const Span&, const Span&) = default;
};

}  // namespace heed::text
