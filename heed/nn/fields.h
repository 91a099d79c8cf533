// The settings of layers, models and runs as lists: what each is called, what it is for, and which
// values it may have. A list is a function visit_fields(options, visit) that calls
// visit(field, member) for each; what checks, writes, reads and describes options follows it, and
// so do the command line (heed/cli/options/field_options.h) and the tables of
// docs/model_directory.md.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace heed::nn {

inline constexpr int64_t kLargestSize = 1 << 24;
inline constexpr int64_t kMostLayers = 1000;
inline constexpr double kLargestShare = 0.999;  // that dropout may drop

struct Field {
  // Of the member, in messages, in config.json and, as --num-heads, of the option.
  const char* name;
  const char* help = "";  // of the option; empty: there is none, as the data decide
  // Of numbers, both included unless said otherwise.
  double least = 0;
  double most = 0;
  bool above = false;  // the least itself is not one of them
  bool below = false;  // nor is the most
  // The texts that there may be, or what throws UsageError for another; null: any.
  std::vector<std::string> (*choices)() = nullptr;
  void (*check)(const std::string& text) = nullptr;
  bool may_be_missing = false;  // in config.json, and then has its default
  const char* zero = "";        // what an option of 0 chooses, where the number itself may not be 0
  const char* automatic = "";   // what an option of "auto" chooses, which is no value of the field
  const char* group = "Model";  // heading of the option in the help
  bool free = false;            // of a run: may be another one when it is resumed
  bool flag = false;            // of a bool that is false by default: the option takes no value
};

// A size: at least 1.
constexpr Field size_field(const char* name, const char* help = "") {
  return {.name = name, .help = help, .least = 1, .most = kLargestSize};
}

constexpr Field layers_field(const char* name, const char* help) {
  return {.name = name, .help = help, .least = 1, .most = kMostLayers};
}

// A share that dropout drops.
constexpr Field share_field(const char* name, const char* help) {
  return {.name = name, .help = help, .most = kLargestShare};
}

// Of the normal distribution that an embedding begins with.
constexpr Field std_field() {
  return {.name = "embedding_std",
          .help = "Standard deviation that word vectors start with",
          .most = 100};
}

template <typename Options, typename Of>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Of>;

// "16777216", "0.999".
std::string number_text(double value);

// "from 1 to 16777216", "above 0, at most 1", "from 0 to below 1".
std::string range_text(const Field& field);

inline bool is_in_range(const Field& field, double value) {
  return (field.above ? value > field.least : value >= field.least) &&
         (field.below ? value < field.most : value <= field.most);
}

// Throws UsageError naming the field that has a value it may not have.
struct FieldCheck {
  void operator()(const Field& field, int64_t value) const;
  void operator()(const Field& field, double value) const;
  void operator()(const Field& field, const std::optional<double>& value) const;
  void operator()(const Field& /*field*/, uint64_t /*value*/) const {}
  void operator()(const Field& /*field*/, bool /*value*/) const {}
  void operator()(const Field& field, const std::string& value) const;
};

}  // namespace heed::nn
