// The data types that the kernels read and write; sums are kept in float32 for both.
#pragma once

#include <cstdint>

namespace heed::kernels {

enum class DataType : uint8_t { kFloat32, kBFloat16 };

// Bytes of one number.
constexpr int64_t bytes_of(DataType type) { return type == DataType::kFloat32 ? 4 : 2; }

}  // namespace heed::kernels
