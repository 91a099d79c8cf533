#include "heed/models/published/weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/io/weights/weight_map.h"
#include "heed/models/stored_types.h"

namespace heed::models::published {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTorchFile = "pytorch_model.bin";
constexpr const char* kTorchIndex = "pytorch_model.bin.index.json";

// A tensor on memory that `keeper` keeps.
at::Tensor view_of(const std::byte* data, at::IntArrayRef shape, at::IntArrayRef strides,
                   at::ScalarType type, std::shared_ptr<const void> keeper) {
  // The pages are private to this process (heed/io/weights/mapped_file.h), so they may be written.
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

// int8 (rows, columns) with a scale for each row or one for all; undefined where that does not fit.
at::Tensor scaled_rows(const at::Tensor& matrix, const at::Tensor& scale, double divisor) {
  const bool fits = matrix.dim() == 2 && scale.is_floating_point() &&
                    (scale.numel() == matrix.size(0) || scale.numel() == 1);
  if (!fits) return {};
  return matrix.to(at::kFloat) * (scale.to(at::kFloat) / divisor).reshape({-1, 1});
}

std::string with_ending(std::string name, std::string_view old, std::string_view today) {
  if (name.ends_with(old)) name.replace(name.size() - old.size(), old.size(), today);
  return name;
}

// Those of a directory, open.
struct WeightFiles {
  std::string name;  // as messages name them
  std::optional<Safetensors> safetensors = {};
  std::vector<TorchFile> torch = {};
};

WeightFiles files_of_model(const fs::path& directory) {
  WeightFiles files;
  const bool has_safetensors = has_file(directory / "model.safetensors") ||
                               has_file(directory / "model.safetensors.index.json");
  if (!has_safetensors && has_file(directory / kTorchFile)) {
    files.name = (directory / kTorchFile).string();
    files.torch.push_back(TorchFile::from_file(directory / kTorchFile));
  } else if (!has_safetensors && has_file(directory / kTorchIndex)) {
    const JsonValue json = read_json(directory / kTorchIndex, {.max_bytes = uint64_t{64} << 20});
    files.name = json.file();
    for (const std::string& file : files_of_weight_map(json, ".bin")) {
      files.torch.push_back(TorchFile::from_file(directory / file));
    }
  } else {
    files.safetensors = Safetensors::from_directory(directory);
    files.name = files.safetensors->name();
  }
  return files;
}

WeightFiles files_of_adapter(const fs::path& directory) {
  WeightFiles files{.name = (directory / kAdapterWeights).string()};
  if (!has_file(directory / kAdapterWeights) && has_file(directory / kOldAdapterWeights)) {
    files.torch.push_back(TorchFile::from_file(directory / kOldAdapterWeights));
  } else {
    files.safetensors = Safetensors::from_file(directory / kAdapterWeights);
  }
  return files;
}

}  // namespace

std::vector<WeightInfo> weights_in(const fs::path& directory) {
  const bool adapts = has_file(directory / kAdapterConfig);
  const WeightFiles files = adapts ? files_of_adapter(directory) : files_of_model(directory);
  std::vector<WeightInfo> all;
  if (files.safetensors) {
    for (const StoredTensor& each : files.safetensors->tensors()) {
      all.push_back({each.name, each.dtype, each.shape, each.bytes});
    }
  }
  for (const TorchFile& file : files.torch) {
    for (const StridedTensor& each : file.tensors()) {
      size_t bytes = dtype_bytes(each.dtype);
      for (const int64_t size : each.shape) bytes *= static_cast<size_t>(size);
      all.push_back({each.name, each.dtype, each.shape, bytes});
    }
  }
  return all;
}

Weights::Weights(const fs::path& directory, const std::vector<std::string>& bases)
    : prefixes_{std::string(kAdapterPrefix)} {
  for (const std::string& base : bases) prefixes_.push_back(base + ".");
  const WeightFiles files = files_of_model(directory);
  file_ = files.name;
  if (files.safetensors) add_safetensors(*files.safetensors);
  for (const TorchFile& file : files.torch) add_torch_file(file);
  dequantise();
}

Weights::Weights(const Folders& folders, const std::vector<std::string>& bases)
    : Weights(folders.base(), bases) {
  if (!folders.is_adapter()) return;
  const WeightFiles files = files_of_adapter(folders.directory());
  if (files.safetensors) add_safetensors(*files.safetensors);
  for (const TorchFile& file : files.torch) add_torch_file(file);
}

void Weights::add(std::string name, const at::Tensor& tensor) {
  const bool adapts = name.starts_with(kAdapterPrefix);
  for (const std::string& prefix : prefixes_) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  name = with_ending(with_ending(std::move(name), ".gamma", ".weight"), ".beta", ".bias");
  if (adapts) {
    tensors_.insert_or_assign(std::move(name), tensor);
  } else {
    tensors_.emplace(std::move(name), tensor);
  }
}

void Weights::dequantise() {
  struct Scale {
    const char* name;
    double divisor;
  };
  constexpr std::string_view kWeight = "weight";
  std::vector<std::string> read;
  for (auto& [name, tensor] : tensors_) {
    if (!tensor.defined() || tensor.scalar_type() != at::kChar || !name.ends_with(kWeight))
      continue;
    const std::string layer = name.substr(0, name.size() - kWeight.size());
    for (const Scale& each : {Scale{"SCB", 127}, Scale{"weight_scale", 1}}) {
      const auto scale = tensors_.find(layer + each.name);
      if (scale == tensors_.end() || !scale->second.defined()) continue;
      tensor = scaled_rows(tensor, scale->second, each.divisor);
      if (!tensor.defined()) {
        throw DataError(file_, text_of("tensor ", excerpt(scale->first),
                                       ": expected a scale for each row of the matrix"));
      }
      for (const char* part : {each.name, "weight_format"}) read.push_back(layer + part);
      break;
    }
  }
  for (const std::string& name : read) tensors_.erase(name);
}

void Weights::add_safetensors(const Safetensors& opened) {
  const auto file = std::make_shared<const Safetensors>(opened);
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

void Weights::add_torch_file(const TorchFile& opened) {
  const auto file = std::make_shared<const TorchFile>(opened);
  for (const StridedTensor& stored : file->tensors()) {
    const auto type = scalar_type_of(stored.dtype);
    at::Tensor tensor;
    if (type) tensor = view_of(stored.data, stored.shape, stored.strides, *type, file);
    add(stored.name, tensor);
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
