// The settings of a model or of a run as options: names, help, defaults, ranges and choices are
// those of its list of fields (heed/nn/fields.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heed/cli/options/options.h"
#include "heed/nn/fields.h"

namespace heed::cli {

// What a command says of some fields otherwise than their list, by their names.
struct FieldTexts {
  std::map<std::string, std::string> help = {};
  std::map<std::string, std::string> zero = {};  // Field::zero
  // The only values that there are with this command.
  std::map<std::string, std::vector<std::string>> choices = {};
  std::string group = {};  // of all of them; empty: as the list has it
};

// "num_heads" -> "--num-heads".
std::string option_name(const std::string& field);

// Whether the command line or a settings file has the option of the field.
bool is_given(const Options& command, const nn::Field& field);

// A visitor of visit_fields(): adds an option for each field that has a help text. The options must
// outlive `command`.
class FieldOptions {
 public:
  explicit FieldOptions(Options& command, FieldTexts texts = {})
      : command_(command), texts_(std::move(texts)) {}

  template <typename Value>
  void operator()(const nn::Field& field, Value& value) const {
    const std::string help = help_of(field);
    if (help.empty()) return;
    Option option = added(field, value, help);
    command_.know_as_field(option_name(field.name));
    option.group(texts_.group.empty() ? field.group : texts_.group);
    add_check(option, field, value);
  }

 private:
  template <typename Value>
  Option added(const nn::Field& field, Value& value, const std::string& help) const {
    return command_.add(option_name(field.name), value, help);
  }
  Option added(const nn::Field& field, bool& value, const std::string& help) const {
    return field.flag ? command_.flag(option_name(field.name), value, help)
                      : command_.add(option_name(field.name), value, help);
  }
  std::string help_of(const nn::Field& field) const;
  std::string zero_of(const nn::Field& field) const;
  std::vector<std::string> choices_of(const nn::Field& field) const;  // empty: any
  // kEmpty: what --print-config writes where no number is given.
  enum class MayBe : uint8_t { kNumber, kEmpty };
  void check_numbers(Option& option, const nn::Field& field, MayBe may_be = MayBe::kNumber) const;
  void add_check(Option& option, const nn::Field& field, int64_t /*value*/) const {
    check_numbers(option, field);
  }
  void add_check(Option& option, const nn::Field& field, double /*value*/) const {
    check_numbers(option, field);
  }
  void add_check(Option& option, const nn::Field& field, std::optional<double> /*value*/) const {
    check_numbers(option, field, MayBe::kEmpty);
  }
  void add_check(Option& /*option*/, const nn::Field& /*field*/, uint64_t /*value*/) const {}
  void add_check(Option& /*option*/, const nn::Field& /*field*/, bool /*value*/) const {}
  void add_check(Option& option, const nn::Field& field, const std::string& value) const;

  Options& command_;
  FieldTexts texts_;
};

}  // namespace heed::cli
