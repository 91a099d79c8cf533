// Rows of float32 or bfloat16 read and written as float32 vectors. For the *_leaf.h files only.
#pragma once

#include "heed/kernels/data_type.h"
#include "heed/kernels/vector/simd_leaf.h"

namespace heed::kernels::HEED_ISA {

// ---- the type of the elements is known to the compiler: float, or uint16_t for bfloat16 ----

HEED_INLINE float as_float(float x) { return x; }
HEED_INLINE float as_float(uint16_t x) { return float_of_bfloat16(x); }

HEED_INLINE Floats load(const uint16_t* from) { return load_bfloat16(from); }
HEED_INLINE void store(uint16_t* to, Floats v) { store_bfloat16(to, v); }

HEED_INLINE Floats load_first(const uint16_t* from, int count) {
  uint16_t halves[kLanes] = {};
  for (int i = 0; i < count; ++i) halves[i] = from[i];
  return load_bfloat16(halves);
}
HEED_INLINE void store_first(uint16_t* to, Floats v, int count) {
  uint16_t halves[kLanes];
  store_bfloat16(halves, v);
  for (int i = 0; i < count; ++i) to[i] = halves[i];
}

// `count` elements, at most kLanes of them; the lanes beyond read as 0.
template <typename Element>
HEED_INLINE Floats load_some(const Element* from, int count) {
  return count >= kLanes ? load(from) : load_first(from, count);
}
template <typename Element>
HEED_INLINE void store_some(Element* to, Floats v, int count) {
  if (count >= kLanes) {
    store(to, v);
  } else {
    store_first(to, v, count);
  }
}

// ---- it is known when the program runs ----

// load_some() and store_some() from `element` on.
HEED_INLINE Floats read_typed(const void* from, DataType type, int64_t element, int count) {
  if (type == DataType::kFloat32) {
    return load_some(static_cast<const float*>(from) + element, count);
  }
  return load_some(static_cast<const uint16_t*>(from) + element, count);
}
HEED_INLINE float read_typed_one(const void* from, DataType type, int64_t element) {
  if (type == DataType::kFloat32) return static_cast<const float*>(from)[element];
  return as_float(static_cast<const uint16_t*>(from)[element]);
}
HEED_INLINE void write_typed(void* to, DataType type, int64_t element, Floats v, int count) {
  if (type == DataType::kFloat32) {
    store_some(static_cast<float*>(to) + element, v, count);
  } else {
    store_some(static_cast<uint16_t*>(to) + element, v, count);
  }
}

// Calls body(element, lanes) for each vector of a row of `width` elements.
template <typename Body>
HEED_INLINE void for_each_vector(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) body(i, kLanes);
  if (i < width) body(i, static_cast<int>(width - i));
}

}  // namespace heed::kernels::HEED_ISA
