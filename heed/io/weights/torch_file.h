// Weights as torch.save writes them (pytorch_model.bin): a pickle and the bytes of its storages, in
// a zip archive, or one behind the other as torch did before 1.6. No code of the file runs: see
// heed/io/weights/pickle.h for what is read. Every error is one line that names the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/io/weights/safetensors.h"

namespace heed {

// A tensor as a view of its storage, which it may share with others.
struct StridedTensor {
  std::string name;
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;     // in elements, none negative
  const std::byte* data = nullptr;  // its first element, aligned to dtype_bytes; never null
};

class TorchFile {
 public:
  // Of a dictionary of tensors. MissingInputError, IoError; DataError where anything is wrong.
  static TorchFile from_file(const std::filesystem::path& file);

  // In the order of the file.
  const std::vector<StridedTensor>& tensors() const { return tensors_; }
  // What keeps their bytes, mapped where they are aligned.
  const std::vector<std::shared_ptr<const void>>& storage() const { return storage_; }
  const std::string& name() const { return name_; }

 private:
  TorchFile() = default;

  std::string name_;
  std::vector<std::shared_ptr<const void>> storage_;
  std::vector<StridedTensor> tensors_;
};

}  // namespace heed
