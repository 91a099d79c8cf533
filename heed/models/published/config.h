// The config.json of a published model: settings that have had several names over the years.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/io/json.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::models::published {

// Of a picture or of a patch, in pixels.
struct Sides {
  int64_t height;
  int64_t width;
};

class Config {
 public:
  using Names = std::initializer_list<std::string_view>;

  // `tensors`: the names of the weights beside it.
  explicit Config(JsonValue json, std::vector<std::string> tensors = {})
      : json_(std::move(json)), tensors_(std::move(tensors)) {}

  const JsonValue& json() const { return json_; }
  bool has(std::string_view name) const { return json_.has(name); }
  // Whether it says null, which is not the same as nothing where there is a usual value.
  bool is_null(std::string_view name) const;
  bool has_tensor(std::string_view name) const;

  // The first of these fields that is there. Throws DataError where none is, or where it is not a
  // size (from 1).
  int64_t size(Names names) const;
  // The same with a value for where none is there.
  int64_t integer(Names names, int64_t missing, IntegerRange range = {}) const;
  double number(Names names, double missing, NumberRange range = {}) const;
  bool boolean(Names names, bool missing) const;
  std::string text(Names names, std::string missing) const;

  // A number for both, [height, width], or {"height": …, "width": …}.
  Sides sides(std::string_view name) const;

  // A non-linearity of transformers' ACT2FN by Heed's name; `gated`: of a gated feed-forward part.
  std::string activation(Names names, std::string missing, bool gated = false) const;

  // The names of the classes; LABEL_0, LABEL_1 … where it has none.
  std::vector<std::string> labels() const;

  // Throws unless the field is missing or has this value.
  void expect(std::string_view name, bool value) const;
  void expect(std::string_view name, int64_t value) const;
  void expect(std::string_view name, const char* value) const;

 private:
  void expect_json(std::string_view name, const Json& value) const;

  JsonValue json_;
  std::vector<std::string> tensors_;  // sorted
};

// Rotary positions: rope_theta and rope_scaling, or rope_parameters.
void read_rotary(const Config& config, double default_theta, TransformerOptions& options,
                 double default_share = 1);

}  // namespace heed::models::published
