// The settings of layers and models as lists: what each is called, and which values it may have. A
// list is a function visit_fields(options, visit) that calls visit(field, member) for each; what
// checks, writes and reads options (heed/models/files/fields.h) follows it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "heed/base/error.h"

namespace heed::nn {

inline constexpr int64_t kLargestSize = 1 << 24;
inline constexpr int64_t kMostLayers = 1000;
inline constexpr double kLargestShare = 0.999;  // that dropout may drop

struct Field {
  const char*
      name;  // of the member, in messages, in config.json and, as --num-heads, of the option
  // Of numbers, both included; of texts, the functions that read them say what may be.
  double least = 0;
  double most = 0;
  bool may_be_missing = false;  // in config.json, and then has its default
};

// A size: at least 1.
constexpr Field size_field(const char* name) {
  return {.name = name, .least = 1, .most = kLargestSize};
}

// A share that dropout drops.
constexpr Field share_field(const char* name) { return {.name = name, .most = kLargestShare}; }

// Of the normal distribution that an embedding begins with.
constexpr Field std_field() { return {.name = "embedding_std", .most = 100}; }

template <typename Options, typename Of>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Of>;

// Throws UsageError naming the field whose number is out of range.
struct FieldCheck {
  void operator()(const Field& field, int64_t value) const {
    const auto least = static_cast<int64_t>(field.least);
    const auto most = static_cast<int64_t>(field.most);
    check_usage(value >= least && value <= most, field.name, ": expected an integer from ", least,
                " to ", most, ", got ", value);
  }
  void operator()(const Field& field, double value) const {
    check_usage(value >= field.least && value <= field.most, field.name,
                ": expected a number from ", field.least, " to ", field.most, ", got ", value);
  }
  void operator()(const Field& /*field*/, bool /*value*/) const {}
  void operator()(const Field& /*field*/, const std::string& /*value*/) const {}
};

}  // namespace heed::nn
