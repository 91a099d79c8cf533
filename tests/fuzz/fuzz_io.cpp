// A libFuzzer target for the two readers of untrusted bytes. README.md beside it says how to run.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/safetensors.h"

// Anything but DataError, a crash or a hang is a bug.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), count);
  size_t sum = 0;
  try {
    const heed::Safetensors file = heed::Safetensors::from_bytes(text, "fuzz");
    for (const heed::StoredTensor& tensor : file.tensors()) {
      for (size_t i = 0; i < tensor.bytes; ++i) sum += static_cast<size_t>(tensor.data[i]);
    }
  } catch (const heed::DataError&) {
  }
  try {
    const heed::JsonValue value = heed::parse_json(text, "fuzz", {.max_bytes = 1 << 20});
    heed::parse_json(heed::json_text(value.json()), "again", {.max_bytes = 1 << 24});
  } catch (const heed::DataError&) {
  }
  return sum == SIZE_MAX ? 1 : 0;  // so that every byte is read
}
