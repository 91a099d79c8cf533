#include "heed/cli/options/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <istream>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/options/option_values.h"
#include "heed/cli/options/settings_file.h"
#include "heed/cli/options/suggestion.h"
#include "heed/nn/fields.h"

namespace heed::cli {
namespace {

// CLI11's name of a type with what its checks say of themselves behind it: "INT:from 0 to 8",
// "TEXT:{post,pre}".
std::string type_of(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }
bool is_list(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

std::string default_of(const CLI::Option& option) {
  const std::string text = option.get_default_str();
  if (type_of(option) != "BOOLEAN") return text;
  return text == "1" || text == "true" ? "true" : "false";
}

std::vector<std::string> values_of(const CLI::Option& option) {
  if (option.count() > 0) return option.reduced_results();
  if (is_list(option)) return {};
  if (is_flag(option)) return {"false"};
  return {default_of(option)};
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (;;) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

void read_checks(const CLI::Option& option, OptionInfo& info) {
  const std::string text = option.get_type_name();
  const size_t colon = text.find(':');
  info.value = text.substr(0, colon);
  if (info.value == "BOOLEAN") info.choices = {"true", "false"};
  if (colon == std::string::npos) return;
  const std::string check = text.substr(colon + 1);
  if (check.starts_with('{') && check.ends_with('}')) {
    info.choices = split(check.substr(1, check.size() - 2), ',');
  } else {
    info.range = check.starts_with("of ") ? check.substr(3) : check;
  }
}

OptionInfo info_of(const CLI::Option& option) {
  OptionInfo info;
  info.description = option.get_description();
  info.group = option.get_group();
  info.positional = option.get_positional();
  info.required = option.get_required();
  info.list = is_list(option);
  info.flag = is_flag(option);
  info.setting = option.get_configurable();
  info.given = option.count() > 0;
  info.values = values_of(option);
  if (!info.list && !info.flag) info.standard = default_of(option);
  read_checks(option, info);
  if (info.positional) {
    info.names = {option.get_single_name()};
  } else {
    for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  }
  return info;
}

// Of what was typed on purpose, such as the name of a file, none is dropped without a word; of a
// list, or where there is a standard to be changed and changed again, the policy stays.
void once_at_most(CLI::Option& option) {
  if (option.get_expected_max() == 1) {
    option.multi_option_policy(CLI::MultiOptionPolicy::Throw);
  }
}

using nn::number_text;

template <typename Holds>
Option::Wrong number_that(const std::string& description, Holds holds) {
  return [description, holds](const std::string& text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stopped == end && holds(value)) return std::string();
    return "expected a number " + description + ", got '" + text + "'";
  };
}

// What CLI11 refused, in a line; an option that does not exist comes before all else.
std::string refusal(const CLI::App& app, const Options& options, const CLI::ParseError& error) {
  for (const std::string& word : app.remaining()) {
    if (word.size() < 2 || word[0] != '-') continue;
    const std::string typed = word.substr(0, word.find('='));
    const std::string meant = similar_option(options, typed.substr(typed.find_first_not_of('-')));
    return text_of("there is no option ", typed, did_you_mean(meant.empty() ? "" : "--" + meant));
  }
  const std::string message = error.what();
  const std::string_view many = ": At Most 1 required but received ";
  const size_t at = message.find(many);
  if (at == std::string::npos) return message;
  return message.substr(0, at) + ": expected one value, got " + message.substr(at + many.size());
}

// Reads a settings file into the options, so that nothing is left for CLI11 to set.
class SettingsReader : public CLI::Config {
 public:
  SettingsReader(const CLI::App& app, Options& options) : app_(app), options_(options) {}

  std::string to_config(const CLI::App* /*app*/, bool, bool, std::string) const override {
    return {};
  }
  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    read_settings(options_, in, app_.get_config_ptr()->as<std::string>());
    return {};
  }

 private:
  const CLI::App& app_;
  Options& options_;
};

}  // namespace

Option& Option::required() {
  option_->required();
  once_at_most(*option_);
  return *this;
}

Option& Option::group(const std::string& heading) {
  option_->group(heading);
  return *this;
}

Option& Option::check(const Wrong& wrong, const std::string& description) {
  option_->check(CLI::Validator([wrong](std::string& text) { return wrong(text); }, description));
  return *this;
}

Option& Option::range(double least, double most) {
  const std::string description = text_of("from ", number_text(least), " to ", number_text(most));
  return check(
      number_that(description, [=](double value) { return value >= least && value <= most; }),
      description);
}

Option& Option::at_least(double least) {
  const std::string description = text_of("of at least ", number_text(least));
  return check(number_that(description, [=](double value) { return value >= least; }), description);
}

Option& Option::above(double least) {
  const std::string description = text_of("above ", number_text(least));
  return check(number_that(description, [=](double value) { return value > least; }), description);
}

Option& Option::share_below_1() {
  const std::string description = "from 0 to below 1";
  return check(number_that(description, [](double value) { return value >= 0 && value < 1; }),
               description);
}

Option& Option::share_or_nothing() {
  const std::string description = "from 0 to 1";
  const Wrong wrong =
      number_that(description, [](double value) { return value >= 0 && value <= 1; });
  return check([wrong](const std::string& text) { return text.empty() ? "" : wrong(text); },
               description);
}

Option& Option::one_of(const std::vector<std::string>& names) {
  option_->check(CLI::IsMember(names));
  return *this;
}

Option& Option::repeats() {
  option_->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

Option& Option::one_word_each() {
  option_->allow_extra_args(false);
  return *this;
}

Option& Option::separated_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Option& Option::at_most(int words) {
  option_->expected(1, words)->allow_extra_args(words > 1);
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Options::Options(const std::string& name, const std::string& summary, const std::string& examples)
    : app_(std::make_unique<CLI::App>(summary, name)) {
  app_->option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  if (!examples.empty()) app_->footer("Examples:\n" + examples);
  app_->set_help_flag();
}

Options::~Options() = default;

template <typename Value>
Option Options::add(const std::string& name, Value& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
template Option Options::add(const std::string&, bool&, const std::string&);
template Option Options::add(const std::string&, double&, const std::string&);
template Option Options::add(const std::string&, int32_t&, const std::string&);
template Option Options::add(const std::string&, int64_t&, const std::string&);
template Option Options::add(const std::string&, uint64_t&, const std::string&);
template Option Options::add(const std::string&, std::string&, const std::string&);
template Option Options::add(const std::string&, std::optional<double>&, const std::string&);
template Option Options::add(const std::string&, std::optional<std::string>&, const std::string&);
template Option Options::add(const std::string&, std::vector<std::string>&, const std::string&);

Option Options::flag(const std::string& name, bool& value, const std::string& help) {
  return Option(app_->add_flag(name, value, help));
}

void Options::finish() {
  app_->set_help_flag("-h,--help", "Print this help and leave")->configurable(false);
  app_->config_formatter(std::make_shared<SettingsReader>(*app_, *this));
  app_->set_config("--config", "", "Read settings from this TOML file; options given here win");
  app_->get_config_ptr()->configurable(false);
  // Thrown while options are processed, so that it works without those that are required.
  app_->add_flag_callback(
          "--print-config", [] { throw CLI::CallForVersion(); },
          "Print every setting as TOML and leave")
      ->configurable(false);
  for (CLI::Option* option : app_->get_options({})) {
    if (is_flag(*option)) continue;
    // An optional number without a default may be written as nothing, which is what holds then.
    const bool may_be_empty = option->get_default_str().empty();
    if (may_be_empty && type_of(*option) == "TEXT") once_at_most(*option);
    option->transform(CLI::Validator(
        [type = type_of(*option), may_be_empty](std::string& text) {
          return apply_value_rules(text, type, may_be_empty);
        },
        ""));
  }
}

Options::Wanted Options::parse(std::vector<std::string> words) {
  words = guarded_words(std::move(words));
  std::reverse(words.begin(), words.end());  // as CLI11 wants a vector of them
  try {
    app_->parse(words);
  } catch (const CLI::CallForHelp&) {
    return Wanted::kHelp;
  } catch (const CLI::CallForVersion&) {  // --print-config
    return Wanted::kSettings;
  } catch (const CLI::FileError& error) {
    throw MissingInputError(text_of("--config: ", error.what()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(refusal(*app_, *this, error));
  }
  return Wanted::kRun;
}

std::string Options::name() const { return app_->get_name(); }
std::string Options::summary() const { return app_->get_description(); }
std::string Options::examples() const { return app_->get_footer(); }

std::vector<OptionInfo> Options::all() const {
  std::vector<OptionInfo> all;
  for (const CLI::Option* option : app_->get_options({})) {
    all.push_back(info_of(*option));
    all.back().field = fields_.count(all.back().names.back()) > 0;
  }
  std::stable_partition(all.begin(), all.end(),
                        [](const OptionInfo& info) { return info.positional; });
  return all;
}

bool Options::has(const std::string& name) const {
  return app_->get_option_no_throw("--" + name) != nullptr;
}

bool Options::is_given(const std::string& name) const {
  return app_->get_option("--" + name)->count() > 0;
}

std::vector<std::string> Options::given() const {
  std::vector<std::string> names;
  for (const CLI::Option* option : app_->get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::vector<std::string> values = option->reduced_results();
    const bool same = values.size() == 1 &&
                      (values[0] == option->get_default_str() || values[0] == "false" /* a flag */);
    if (!same) names.push_back(option->get_lnames().front());
  }
  return names;
}

std::string Options::place_of(const std::string& name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? "" : found->second;
}

void Options::give(const std::string& name, const std::vector<std::string>& values,
                   const std::string& place) {
  CLI::Option* option = app_->get_option_no_throw("--" + name);
  if (option == nullptr) option = app_->get_option(name);
  if (!option->empty()) return;
  if (!place.empty()) places_[name] = place;
  if (is_flag(*option)) {
    option->add_result(option->get_flag_value(name, values.at(0)));
  } else {
    const char separator = option->get_delimiter();
    option->delimiter('\0');  // each is one value, whatever is in it
    for (const std::string& value : values) option->add_result(guarded(value));
    option->delimiter(separator);
  }
  try {
    if (!option->empty()) option->run_callback();
  } catch (const CLI::ParseError& error) {
    const std::string message = error.what();
    const std::string behind = option->get_name() + ": ";
    throw UsageError(message.starts_with(behind) ? message.substr(behind.size()) : message);
  }
}

}  // namespace heed::cli
