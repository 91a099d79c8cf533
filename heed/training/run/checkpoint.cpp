#include "heed/training/run/checkpoint.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/checksum.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "state.json";
constexpr const char* kTensors = "tensors.safetensors";
constexpr const char* kStateChecksum = "checksum";
constexpr const char* kTensorsChecksum = "tensors_checksum";
constexpr std::string_view kPrefix = "step-";
constexpr uint64_t kLargestState = uint64_t{256} << 20;

struct DtypePair {
  at::ScalarType torch;
  SafetensorsDtype stored;
};
constexpr std::array<DtypePair, 8> kDtypes = {{{at::kFloat, SafetensorsDtype::kF32},
                                               {at::kDouble, SafetensorsDtype::kF64},
                                               {at::kHalf, SafetensorsDtype::kF16},
                                               {at::kBFloat16, SafetensorsDtype::kBF16},
                                               {at::kLong, SafetensorsDtype::kI64},
                                               {at::kInt, SafetensorsDtype::kI32},
                                               {at::kByte, SafetensorsDtype::kU8},
                                               {at::kBool, SafetensorsDtype::kBool}}};

SafetensorsDtype stored_dtype(const std::string& name, at::ScalarType type) {
  for (const DtypePair& pair : kDtypes) {
    if (pair.torch == type) return pair.stored;
  }
  throw UsageError(
      text_of("checkpoint: tensor '", name, "' has the dtype ", type, ", which cannot be saved"));
}

// Keys in the order of their names, so that what is read has the checksum of what was written.
std::string checksum_of(const Json& state) {
  Checksum sum;
  sum.add(state.dump());
  return sum.text();
}

std::string checksum_of(std::vector<StoredTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
  Checksum sum;
  for (const StoredTensor& each : tensors) {
    sum.add(each.name);
    sum.add(dtype_name(each.dtype));
    sum.add(each.shape);
    sum.add(each.data, each.bytes);
  }
  return sum.text();
}

// The step of "step-00000123"; nothing for other names.
std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || name.size() > kPrefix.size() + 18) return std::nullopt;
  const std::string digits = name.substr(kPrefix.size());
  if (digits.size() < 8 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

}  // namespace

void SavedTensors::add(std::string name, const at::Tensor& tensor) {
  tensors_.emplace_back(std::move(name), tensor.detach().to(at::kCPU).contiguous());
}

std::vector<StoredTensor> SavedTensors::stored() const {
  std::vector<StoredTensor> stored;
  for (const auto& [name, tensor] : tensors_) {
    stored.push_back({.name = name,
                      .dtype = stored_dtype(name, tensor.scalar_type()),
                      .shape = tensor.sizes().vec(),
                      .data = static_cast<const std::byte*>(tensor.const_data_ptr()),
                      .bytes = tensor.nbytes()});
  }
  return stored;
}

void load_tensor(const Safetensors& from, const std::string& name, at::Tensor into) {
  const StoredTensor& stored = from.at(name);
  const SafetensorsDtype expected = stored_dtype(name, into.scalar_type());
  if (stored.dtype != expected || into.sizes() != at::IntArrayRef(stored.shape)) {
    throw DataError(from.name(),
                    text_of("tensor '", name, "': expected ", dtype_name(expected), ' ',
                            into.sizes(), " of the model to be trained, found ",
                            dtype_name(stored.dtype), ' ', at::IntArrayRef(stored.shape)));
  }
  const c10::AutoGradMode no_gradients(false);
  // from_blob asks for a pointer that may be written; nothing writes to it.
  void* data = const_cast<std::byte*>(stored.data);
  into.copy_(at::from_blob(data, stored.shape, into.scalar_type()));
}

at::Tensor load_bytes(const Safetensors& from, const std::string& name) {
  const StoredTensor& stored = from.at(name);
  if (stored.dtype != SafetensorsDtype::kU8 || stored.shape.size() != 1) {
    throw DataError(from.name(),
                    text_of("tensor '", name, "': expected a row of U8, found ",
                            dtype_name(stored.dtype), ' ', at::IntArrayRef(stored.shape)));
  }
  at::Tensor bytes = at::empty(stored.shape, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), stored.data, stored.bytes);
  return bytes;
}

fs::path CheckpointFolder::path_of(int64_t step) const {
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "step-%08lld", static_cast<long long>(step));
  return folder_ / name.data();
}

std::vector<int64_t> CheckpointFolder::steps() const {
  std::vector<int64_t> steps;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto step = step_of(entry->path().filename().string());
    if (step) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void CheckpointFolder::save(int64_t step, OrderedJson state, const SavedTensors& tensors) {
  const std::vector<StoredTensor> stored = tensors.stored();
  state[kTensorsChecksum] = checksum_of(stored);
  state[kStateChecksum] = checksum_of(Json(state));
  AtomicDirectory directory(path_of(step), {kState, kTensors}, *calls_);
  directory.write(kState, json_text(state));
  write_safetensors(directory, kTensors, stored);
  directory.commit();
}

// Under a temporary name first, so that nobody meets half of it under its own.
void CheckpointFolder::remove(int64_t step) {
  const fs::path path = path_of(step);
  const fs::path aside = folder_ / text_of('.', path.filename().string(), ".heed-new-00000000");
  remove_tree(aside, *calls_);
  if (calls_->rename(path.c_str(), aside.c_str()) == 0) remove_tree(aside, *calls_);
}

void CheckpointFolder::prune(int64_t keep, std::optional<int64_t> best) {
  const auto all = steps();
  const size_t last = all.size() - std::min(all.size(), static_cast<size_t>(keep));
  for (size_t i = 0; i < last; ++i) {
    if (all[i] != best) remove(all[i]);
  }
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_temporary_name(entry->path().filename().string())) leftovers.push_back(entry->path());
  }
  for (const fs::path& path : leftovers) remove_tree(path, *calls_);
}

CheckpointFolder::Content CheckpointFolder::load(int64_t step) const {
  try {
    return read(step);
  } catch (const IoError&) {
    throw;
  } catch (const Error& error) {
    std::optional<int64_t> before;
    for (const int64_t each : steps()) {
      if (each < step) before = each;
    }
    throw DataError(error.what(),
                    text_of("the checkpoint is damaged: ",
                            before ? text_of("remove ", path_of(step).string(),
                                             " to go on from the one before, of step ", *before)
                                   : "there is none before it; begin again with --overwrite"));
  }
}

std::optional<CheckpointFolder::Content> CheckpointFolder::newest() const {
  const auto all = steps();
  if (all.empty()) return std::nullopt;
  return load(all.back());
}

CheckpointFolder::Content CheckpointFolder::read(int64_t step) const {
  Content content{.state = read_json(path_of(step) / kState, {.max_bytes = kLargestState}),
                  .tensors = Safetensors::from_file(path_of(step) / kTensors)};
  Json state = content.state.json();
  const std::string& written = content.state.at(kStateChecksum).string();
  state.erase(kStateChecksum);
  if (written != checksum_of(state)) {
    throw DataError(content.state.file(), "holds something else than what was saved");
  }
  if (content.state.at(kTensorsChecksum).string() != checksum_of(content.tensors.tensors())) {
    throw DataError(content.tensors.name(), "holds other numbers than those that were saved");
  }
  if (content.state.at("step").integer() != step) {
    throw DataError(content.state.file(), text_of("is not of step ", step));
  }
  return content;
}

}  // namespace heed::training
