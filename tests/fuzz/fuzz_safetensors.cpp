// model.safetensors: every byte of every tensor is read.
#include "heed/io/weights/safetensors.h"
#include "tests/fuzz/fuzz.h"

void heed::fuzz::one(std::string_view input) {
  const Safetensors file = Safetensors::from_bytes(input, "fuzz");
  size_t sum = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    for (size_t i = 0; i < tensor.bytes; ++i) sum += static_cast<size_t>(tensor.data[i]);
  }
  expect(sum != SIZE_MAX);
}
