// The dtypes of stored tensors as torch's.
#pragma once

#include <c10/core/ScalarType.h>

#include <optional>

#include "heed/io/weights/safetensors.h"

namespace heed::models {

// Nothing where torch has no such type.
std::optional<at::ScalarType> scalar_type_of(SafetensorsDtype dtype);

}  // namespace heed::models
