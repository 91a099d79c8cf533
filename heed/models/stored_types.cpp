#include "heed/models/stored_types.h"

namespace heed::models {

std::optional<at::ScalarType> scalar_type_of(SafetensorsDtype dtype) {
  switch (dtype) {
    case SafetensorsDtype::kF32:
      return at::kFloat;
    case SafetensorsDtype::kF64:
      return at::kDouble;
    case SafetensorsDtype::kBF16:
      return at::kBFloat16;
    case SafetensorsDtype::kF16:
      return at::kHalf;
    case SafetensorsDtype::kI64:
      return at::kLong;
    case SafetensorsDtype::kI32:
      return at::kInt;
    case SafetensorsDtype::kU8:
      return at::kByte;
    case SafetensorsDtype::kI8:
      return at::kChar;
    case SafetensorsDtype::kBool:
      return at::kBool;
    default:
      return std::nullopt;
  }
}

}  // namespace heed::models
