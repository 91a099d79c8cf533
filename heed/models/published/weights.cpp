#include "heed/models/published/weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/safetensors.h"
#include "heed/io/torch_file.h"
#include "heed/io/utf8.h"
#include "heed/io/weight_map.h"
#include "heed/models/stored_types.h"

namespace heed::models::published {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTorchFile = "pytorch_model.bin";
constexpr const char* kTorchIndex = "pytorch_model.bin.index.json";

// A tensor on memory that `keeper` keeps.
at::Tensor view_of(const std::byte* data, at::IntArrayRef shape, at::IntArrayRef strides,
                   at::ScalarType type, std::shared_ptr<const void> keeper) {
  // The pages are private to this process (heed/io/mapped_file.h), so they may be written.
  void* memory = const_cast<std::byte*>(data);
  return at::from_blob(
      memory, shape, strides, [keeper = std::move(keeper)](void*) {}, type);
}

std::vector<int64_t> row_major(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(shape[i], 1);
  return strides;
}

std::string with_ending(std::string name, std::string_view old, std::string_view today) {
  if (name.ends_with(old)) name.replace(name.size() - old.size(), old.size(), today);
  return name;
}

}  // namespace

Weights::Weights(const fs::path& directory, const std::string& base) : base_(base) {
  std::error_code ignored;
  const bool has_safetensors = fs::exists(directory / "model.safetensors", ignored) ||
                               fs::exists(directory / "model.safetensors.index.json", ignored);
  if (!has_safetensors && fs::exists(directory / kTorchFile, ignored)) {
    file_ = (directory / kTorchFile).string();
    read_torch_file(directory / kTorchFile);
  } else if (!has_safetensors && fs::exists(directory / kTorchIndex, ignored)) {
    read_torch_index(directory / kTorchIndex);
  } else {
    read_safetensors(directory);
  }
}

void Weights::add(std::string name, const at::Tensor& tensor) {
  const std::string prefix = base_ + ".";
  if (!base_.empty() && name.starts_with(prefix)) name.erase(0, prefix.size());
  name = with_ending(with_ending(std::move(name), ".gamma", ".weight"), ".beta", ".bias");
  tensors_.emplace(std::move(name), tensor);
}

void Weights::read_safetensors(const fs::path& directory) {
  const auto file = std::make_shared<const Safetensors>(Safetensors::from_directory(directory));
  file_ = file->name();
  for (const StoredTensor& stored : file->tensors()) {
    const auto type = scalar_type_of(stored.dtype);
    at::Tensor tensor;
    if (type) tensor = view_of(stored.data, stored.shape, row_major(stored.shape), *type, file);
    add(stored.name, tensor);
  }
  // Writers that store a shared tensor once list its other names here.
  for (const auto& [alias, name] : file->metadata()) {
    const StoredTensor* stored = file->find(name);
    if (stored == nullptr) continue;
    const auto type = scalar_type_of(stored->dtype);
    if (type)
      add(alias, view_of(stored->data, stored->shape, row_major(stored->shape), *type, file));
  }
}

void Weights::read_torch_file(const fs::path& path) {
  const auto file = std::make_shared<const TorchFile>(TorchFile::from_file(path));
  for (const StridedTensor& stored : file->tensors()) {
    const auto type = scalar_type_of(stored.dtype);
    at::Tensor tensor;
    if (type) tensor = view_of(stored.data, stored.shape, stored.strides, *type, file);
    add(stored.name, tensor);
  }
}

void Weights::read_torch_index(const fs::path& index) {
  const JsonValue json = read_json(index, {.max_bytes = uint64_t{64} << 20});
  file_ = json.file();
  for (const std::string& file : files_of_weight_map(json, ".bin")) {
    read_torch_file(index.parent_path() / file);
  }
}

at::Tensor Weights::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return {};
  if (!found->second.defined() || !found->second.is_floating_point()) {
    throw DataError(file_, "tensor " + excerpt(name) + ": expected numbers of floating point");
  }
  return found->second;
}

at::Tensor Weights::at(std::string_view name) const {
  at::Tensor tensor = find(name);
  if (!tensor.defined()) throw DataError(file_, "tensor " + excerpt(name) + " is missing");
  return tensor;
}

std::vector<std::string> Weights::names() const {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : tensors_) all.push_back(name);
  return all;
}

}  // namespace heed::models::published
