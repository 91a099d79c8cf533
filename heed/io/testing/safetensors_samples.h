// Small safetensors files for the tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace heed::test {

// A file of this header, padded to eight bytes, and `data_bytes` bytes of data.
inline std::string file_of(std::string header, size_t data_bytes, bool pad = true) {
  if (pad) header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  file += header;
  for (size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i * 7 + 1);
  return file;
}

// A file whose header says that it is `length` bytes long.
inline std::string file_with_length(uint64_t length, std::string_view rest) {
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + std::string(rest);
}

// "name":{"dtype":...,"shape":...,"data_offsets":...}
inline std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                         std::string_view offsets) {
  std::string text = "\"";
  text.append(name).append("\":{\"dtype\":\"").append(dtype).append("\",\"shape\":");
  return text.append(shape).append(",\"data_offsets\":").append(offsets).append("}");
}

// A model of five tensors, one of them empty and one a scalar, with metadata.
inline std::string small_model() {
  return file_of("{\"__metadata__\":{\"format\":\"pt\",\"n\":\"\\u00e9\"}," +
                     entry("embedding.weight", "F32", "[3,2]", "[0,24]") + "," +
                     entry("mask", "U8", "[4]", "[48,52]") + "," +
                     entry("empty", "F16", "[0,7]", "[52,52]") + "," +
                     entry("position", "I64", "[3]", "[24,48]") + "," +
                     entry("scale", "F32", "[]", "[52,56]") + "}",
                 56);
}

}  // namespace heed::test
