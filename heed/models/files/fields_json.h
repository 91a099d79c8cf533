// Lists of settings (heed/nn/fields.h) in config.json: each written and read within the same range.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "heed/io/json.h"
#include "heed/nn/fields.h"

namespace heed::models {

using nn::Field;

class FieldWriter {
 public:
  explicit FieldWriter(OrderedJson& config) : config_(config) {}

  template <typename Value>
  void operator()(const Field& field, const Value& value) const {
    config_[field.name] = value;
  }

 private:
  OrderedJson& config_;
};

// Throws DataError naming the file and the field.
class FieldReader {
 public:
  explicit FieldReader(const JsonValue& config) : config_(config) {}

  template <typename Value>
  void operator()(const Field& field, Value& value) const {
    if (field.may_be_missing && !config_.has(field.name)) return;
    read(field, config_.at(field.name), value);
  }

 private:
  static void read(const Field& field, const JsonValue& from, int64_t& value) {
    value = from.integer(
        {.least = static_cast<int64_t>(field.least), .most = static_cast<int64_t>(field.most)});
  }
  static void read(const Field& field, const JsonValue& from, double& value) {
    value = from.number({.least = field.least, .most = field.most});
  }
  static void read(const Field& /*field*/, const JsonValue& from, bool& value) {
    value = from.boolean();
  }
  static void read(const Field& /*field*/, const JsonValue& from, std::string& value) {
    value = from.string();
  }

  const JsonValue& config_;
};

// All fields of the options, and what else `config` begins with.
template <typename Options>
OrderedJson with_fields(OrderedJson config, const Options& options) {
  visit_fields(options, FieldWriter(config));
  return config;
}

// The options that the config holds.
template <typename Options>
Options fields_from(const JsonValue& config) {
  Options options;
  visit_fields(options, FieldReader(config));
  return options;
}

}  // namespace heed::models
