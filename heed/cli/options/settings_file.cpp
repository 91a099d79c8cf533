#include "heed/cli/options/settings_file.h"

// As little of the library as reading needs: it is the slowest file to compile.
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <istream>
#include <memory>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/options/option_values.h"
#include "heed/cli/options/suggestion.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"

namespace heed::cli {
namespace {

constexpr size_t kLargestFile = 1 << 20;

std::string real_text(double value) {
  std::array<char, 64> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

// The text that the command line would have for it. Throws UsageError for a table or a date.
std::string text_of_value(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    check_usage(text->get().find('\0') == std::string::npos,
                "expected a text without the character of code 0");
    return text->get();
  }
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* real = node.as_floating_point()) return real_text(real->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  throw UsageError("expected a text, a number, true, false, or a list of them");
}

std::vector<std::string> values_in(const toml::node& node, bool list) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return {text_of_value(node)};
  check_usage(list, "expected one value, got a list");
  std::vector<std::string> values;
  for (const toml::node& element : *array) values.push_back(text_of_value(element));
  return values;
}

CLI::Option& option_named(CLI::App& app, const std::string& name) {
  CLI::Option* option = name.empty() ? nullptr : app.get_option_no_throw("--" + name);
  if (option == nullptr && !name.empty()) option = app.get_option_no_throw(name);
  if (option != nullptr && option->get_configurable()) return *option;
  throw UsageError("there is no such setting" + did_you_mean(similar_option(app, name)));
}

void set_option(CLI::Option& option, const std::string& name, const toml::node& node) {
  const std::vector<std::string> values = values_in(node, takes_list(option));
  if (!option.empty()) return;  // the command line wins
  if (option.get_items_expected_max() == 0) {
    check_usage(values.size() == 1 && node.is_boolean(), "expected true or false");
    option.add_result(option.get_flag_value(name, values[0]));
  } else {
    for (const std::string& value : values) option.add_result(guarded(value));
  }
  if (!option.empty()) option.run_callback();
}

// Without the name in front, which the caller has said already.
std::string without_name(const std::string& message, const CLI::Option& option) {
  const std::string name = option.get_name() + ": ";
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

void apply(CLI::App& app, const toml::table& settings, const std::string& file) {
  for (const auto& [key, node] : settings) {
    const std::string name(key.str());
    const std::string where =
        text_of(printable(file), ":", key.source().begin.line, ": ", excerpt(name), ": ");
    try {
      CLI::Option& option = option_named(app, name);
      try {
        set_option(option, name, node);
      } catch (const CLI::ParseError& error) {
        throw UsageError(without_name(error.what(), option));
      }
    } catch (const UsageError& error) {
      throw UsageError(where + error.what());
    }
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += formatted("\\u%04X", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string value_text(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const bool bare = option.get_items_expected_max() == 0 || !type.starts_with("TEXT");
  std::string text;
  for (const std::string& value : values_of(option)) {
    check_usage(is_utf8(value), option.get_name(), ": expected UTF-8, got ", excerpt(value));
    text += (text.empty() ? "" : ", ") + (bare ? value : quoted(value));
  }
  return takes_list(option) ? "[" + text + "]" : text;
}

class TomlSettings : public CLI::Config {
 public:
  explicit TomlSettings(CLI::App& app) : app_(app) {}

  std::string to_config(const CLI::App* app, bool, bool, std::string) const override {
    return settings_text(*app);
  }
  // All is done here, so nothing is left for CLI11 to set.
  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    read_settings(app_, in, app_.get_config_ptr()->as<std::string>());
    return {};
  }

 private:
  CLI::App& app_;
};

}  // namespace

void read_settings(CLI::App& app, std::istream& in, const std::string& file) {
  std::string text(kLargestFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  check_usage(text.size() <= kLargestFile, printable(file), ": settings of more than ",
              kLargestFile, " bytes");
  toml::table settings;
  try {
    settings = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(text_of(printable(file), ":", error.source().begin.line,
                             ": this is not TOML: ", printable(error.description())));
  }
  apply(app, settings, file);
}

std::string settings_text(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options({})) {
    if (!option->get_configurable()) continue;
    const std::string name =
        option->get_lnames().empty() ? option->get_single_name() : option->get_lnames().front();
    const std::string value = value_text(*option);
    const bool unset = value.empty() || (option->get_required() && option->empty());
    if (!option->get_description().empty()) text += "# " + option->get_description() + '\n';
    text += (unset ? "#" : "") + name + '=' + value + "\n\n";
  }
  return text;
}

void add_settings_options(CLI::App& app) {
  app.config_formatter(std::make_shared<TomlSettings>(app));
  app.set_config("--config", "", "Read settings from this TOML file; options given here win");
  app.get_config_ptr()->configurable(false);
  // Thrown while options are processed, so that it works without those that are required.
  app.add_flag_callback(
         "--print-config", [&app] { throw CLI::CallForVersion(settings_text(app), 0); },
         "Print every setting as TOML and leave")
      ->configurable(false);
}

}  // namespace heed::cli
