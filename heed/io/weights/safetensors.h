// The safetensors format (https://github.com/huggingface/safetensors, "Format"): 8 bytes of header
// length, little endian; a JSON header that gives dtype, shape and byte range of every tensor; the
// bytes of the tensors, one after the other. Nothing in a file is trusted: see
// docs/model_directory.md for what is refused. Every error is one line that names the file and,
// where there is one, the tensor and the field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/atomic.h"

namespace heed {

// In the order of the official library, by which it also orders the tensors of a file.
enum class SafetensorsDtype : uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64,
};

// The name in the file: "F32", "BF16", "F8_E4M3".
std::string_view dtype_name(SafetensorsDtype dtype);

// Bytes of one element.
size_t dtype_bytes(SafetensorsDtype dtype);

// A tensor: row-major, little endian, its last dimension contiguous.
struct StoredTensor {
  std::string name;
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  std::vector<int64_t> shape;       // every dimension ≥ 0; empty for a scalar
  const std::byte* data = nullptr;  // aligned to dtype_bytes; never null
  size_t bytes = 0;                 // product of shape × dtype_bytes
};

using SafetensorsMetadata = std::map<std::string, std::string>;

// Tensors that were read: one file, or the files of one model. The bytes stay in the mapped files,
// without a copy, and are valid as long as this or a copy of it lives. Another process that
// shortens a mapped file meanwhile makes reading its bytes fatal (SIGBUS), as for every mapped
// file; Heed itself replaces files and never shortens them.
class Safetensors {
 public:
  // MissingInputError, IoError; DataError if anything in the file is wrong.
  static Safetensors from_file(const std::filesystem::path& file);

  // model.safetensors of a model directory or, where there is none, the files that its
  // model.safetensors.index.json lists.
  static Safetensors from_directory(const std::filesystem::path& directory);

  // The same from memory, which is copied; `name` stands for the file in messages.
  static Safetensors from_bytes(std::string_view bytes, const std::string& name);

  // Ordered by name.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }

  // The tensor of that name; null if there is none.
  const StoredTensor* find(std::string_view name) const;

  // The same; DataError naming the file and the tensor if there is none.
  const StoredTensor& at(std::string_view name) const;

  // What the file says about itself ("__metadata__"); of several files, the first one's.
  const SafetensorsMetadata& metadata() const { return metadata_; }

  // The file, or the index of several, as messages name it.
  const std::string& name() const { return name_; }

 private:
  Safetensors() = default;

  std::string name_;
  std::vector<std::shared_ptr<const void>> storage_;  // keeps the mapped files
  std::vector<StoredTensor> tensors_;
  SafetensorsMetadata metadata_;
};

// Writes tensors whose names are unique, in the order of the official writer (widest dtype first,
// then by name), so that the same tensors give the same bytes. UsageError: a tensor whose bytes do
// not match its shape, an empty, repeated or reserved name, text that is not UTF-8.
void write_safetensors(OutputFile& file, const std::vector<StoredTensor>& tensors,
                       const SafetensorsMetadata& metadata = {});

// The same as a file of its own, replaced atomically, and as a file of a directory being saved.
void write_safetensors(const std::filesystem::path& file, const std::vector<StoredTensor>& tensors,
                       const SafetensorsMetadata& metadata = {});
void write_safetensors(AtomicDirectory& directory, std::string_view name,
                       const std::vector<StoredTensor>& tensors,
                       const SafetensorsMetadata& metadata = {});

}  // namespace heed
