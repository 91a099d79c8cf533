#include "heed/models/files/parameters.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/models/stored_types.h"

namespace heed::models {
namespace {

SafetensorsDtype dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return SafetensorsDtype::kF32;
    case at::kDouble:
      return SafetensorsDtype::kF64;
    case at::kBFloat16:
      return SafetensorsDtype::kBF16;
    case at::kHalf:
      return SafetensorsDtype::kF16;
    default:
      throw UsageError(text_of("saving weights: expected floating point parameters, got ",
                               tensor.scalar_type()));
  }
}

at::ScalarType floating_type_of(const StoredTensor& tensor, const std::string& file) {
  const auto type = scalar_type_of(tensor.dtype);
  if (type && at::isFloatingType(*type)) return *type;
  throw DataError(file, text_of("tensor '", tensor.name, "': expected a floating point dtype, ",
                                "found ", dtype_name(tensor.dtype)));
}

// The sum is as fast as reading, and is not finite where one of the numbers is not; it may also
// have overflowed.
bool is_finite(const at::Tensor& tensor) {
  return std::isfinite(tensor.sum().item<double>()) || tensor.isfinite().all().item<bool>();
}

}  // namespace

std::vector<StoredTensor> stored_parameters(const torch::nn::Module& module) {
  std::vector<StoredTensor> stored;
  for (const auto& item : module.named_parameters()) {
    const at::Tensor& parameter = item.value();
    check_usage(parameter.is_contiguous() && parameter.device().is_cpu(), "saving weights: '",
                item.key(), "': expected a contiguous tensor in CPU memory");
    stored.push_back({.name = item.key(),
                      .dtype = dtype_of(parameter),
                      .shape = parameter.sizes().vec(),
                      .data = static_cast<const std::byte*>(parameter.const_data_ptr()),
                      .bytes = parameter.nbytes()});
  }
  return stored;
}

void load_parameters(torch::nn::Module& module, const Safetensors& weights) {
  const c10::AutoGradMode no_gradients(false);
  auto parameters = module.named_parameters();
  for (const StoredTensor& stored : weights.tensors()) {
    if (parameters.contains(stored.name)) continue;
    throw DataError(weights.name(), text_of("tensor '", stored.name,
                                            "' does not belong to the model of config.json"));
  }
  for (auto& item : parameters) {
    const StoredTensor& stored = weights.at(item.key());
    if (item.value().sizes() != at::IntArrayRef(stored.shape)) {
      throw DataError(weights.name(),
                      text_of("tensor '", stored.name, "': expected shape ", item.value().sizes(),
                              " from config.json, found ", at::IntArrayRef(stored.shape)));
    }
    // from_blob asks for a pointer that may be written; nothing writes to it.
    void* data = const_cast<std::byte*>(stored.data);
    item.value().copy_(at::from_blob(data, stored.shape, floating_type_of(stored, weights.name())));
    if (!is_finite(item.value())) {
      throw DataError(weights.name(), text_of("tensor '", stored.name,
                                              "': expected finite numbers, found NaN or infinity; "
                                              "the file is damaged or the training went wrong"));
    }
  }
}

}  // namespace heed::models
