// The JSON header of a safetensors file, read without trust and written. Used by safetensors.cpp;
// programs use safetensors.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/weights/safetensors.h"

namespace heed {

// "the header may not be larger": the limit of the official library.
inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr size_t kMaxRank = 64;

// One tensor as the header describes it; its bytes are [begin, end) after the header.
struct HeaderEntry {
  std::string name;
  SafetensorsDtype dtype;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;  // in the order of their bytes
  SafetensorsMetadata metadata;
};

// Reads the header text and checks it against the bytes that follow it in the file: `data_bytes`
// of them, the first at `data_offset` of the file. DataError names `file`, the tensor and the
// field. Takes memory in proportion to the text, whatever it says.
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file,
                                           uint64_t data_offset, uint64_t data_bytes);

// The dtype of that name; false if there is none.
bool find_dtype(std::string_view name, SafetensorsDtype& dtype);

// shape × dtype_bytes; false if it overflows or a dimension is negative.
bool tensor_bytes(const std::vector<int64_t>& shape, SafetensorsDtype dtype, uint64_t& bytes);

}  // namespace heed
