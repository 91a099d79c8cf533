// Lists of numbers in config.json.
#pragma once

#include <vector>

#include "heed/io/json.h"

namespace heed::models {

// Throws DataError naming the number that is out of the range.
inline std::vector<double> numbers_from(const JsonValue& value, NumberRange range) {
  std::vector<double> numbers;
  for (size_t i = 0; i < value.array_size(); ++i) numbers.push_back(value.at(i).number(range));
  return numbers;
}

}  // namespace heed::models
