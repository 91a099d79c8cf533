// config.json held against the weights beside it, before a model is made of it: a config of a few
// bytes must not make the program allocate more than the weights on disk hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/json.h"
#include "heed/io/weights/safetensors.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::models {

// Every check throws DataError: naming the weights where a tensor is missing, the field of
// config.json where it is not of the shape that follows from it.
class WeightCheck {
 public:
  // Both must outlive the check.
  WeightCheck(const JsonValue& config, const Safetensors& weights)
      : config_(config), weights_(weights) {}

  void present(std::string_view name) const { weights_.at(name); }
  void shape(std::string_view name, const std::vector<int64_t>& expected, const char* field) const;

  // The table of positions that is called `prefix`, where they are learned; `field`: its length.
  void positions(std::string_view prefix, const TransformerOptions& options,
                 const char* field = "max_length") const;

  // The stack of layers that is called `prefix` ("decoder").
  void stack(std::string_view prefix, const TransformerOptions& options) const;

 private:
  const JsonValue& config_;
  const Safetensors& weights_;
};

}  // namespace heed::models
