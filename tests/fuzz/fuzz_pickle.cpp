// pytorch_model.bin, as torch.save writes it: of every tensor the elements that lie outermost are
// read.
#include "heed/io/weights/torch_file.h"
#include "tests/fuzz/fuzz.h"

void heed::fuzz::one(std::string_view input) {
  static const ScratchFile model("pytorch_model.bin");
  model.write(input);
  const TorchFile file = TorchFile::from_file(model.path());
  size_t sum = 0;
  for (const StridedTensor& tensor : file.tensors()) {
    expect(tensor.shape.size() == tensor.strides.size() && tensor.data != nullptr);
    bool is_empty = false;
    size_t last = 0;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      is_empty |= tensor.shape[i] == 0;
      last += static_cast<size_t>((tensor.shape[i] - 1) * tensor.strides[i]);
    }
    if (is_empty) continue;
    const size_t bytes = dtype_bytes(tensor.dtype);
    for (size_t i = 0; i < bytes; ++i) {
      sum +=
          static_cast<size_t>(tensor.data[i]) + static_cast<size_t>(tensor.data[last * bytes + i]);
    }
  }
  expect(sum != SIZE_MAX);
}
