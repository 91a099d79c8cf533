// Rows of float32 or bfloat16 read and written as float32 vectors. For the *_leaf.h files only.
#pragma once

#include "heed/kernels/data_type.h"
#include "heed/kernels/vector/simd.h"

namespace heed::kernels::HEED_ISA {

// `count` elements from `element` on; the lanes beyond are 0.
HEED_INLINE Floats read_typed(const void* from, DataType type, int64_t element, int count) {
  if (type == DataType::kFloat32) {
    const float* at = static_cast<const float*>(from) + element;
    return count == kLanes ? load(at) : load_first(at, count);
  }
  const uint16_t* at = static_cast<const uint16_t*>(from) + element;
  if (count == kLanes) return load_bfloat16(at);
  uint16_t halves[kLanes] = {};
  for (int i = 0; i < count; ++i) halves[i] = at[i];
  return load_bfloat16(halves);
}

HEED_INLINE void write_typed(void* to, DataType type, int64_t element, Floats v, int count) {
  if (type == DataType::kFloat32) {
    float* at = static_cast<float*>(to) + element;
    if (count == kLanes) {
      store(at, v);
    } else {
      store_first(at, v, count);
    }
    return;
  }
  uint16_t* at = static_cast<uint16_t*>(to) + element;
  if (count == kLanes) {
    store_bfloat16(at, v);
    return;
  }
  uint16_t halves[kLanes];
  store_bfloat16(halves, v);
  for (int i = 0; i < count; ++i) at[i] = halves[i];
}

// Calls body(element, lanes) for each vector of a row of `width` elements.
template <typename Body>
HEED_INLINE void for_each_vector(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) body(i, kLanes);
  if (i < width) body(i, static_cast<int>(width - i));
}

}  // namespace heed::kernels::HEED_ISA
