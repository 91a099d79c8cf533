#include "heed/cli/options/settings_file.h"

// As little of the library as reading needs: it is the slowest file to compile.
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
// Some of its assertions fail for what it then refuses (`[ = 1`): in no build are they tested, nor
// taken for granted, as clang's would be with NDEBUG.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(...) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <istream>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/cli/options/options.h"
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

const OptionInfo& option_named(const Options& options, const std::vector<OptionInfo>& all,
                               const std::string& name) {
  for (const OptionInfo& option : all) {
    if (option.setting && option.setting_name() == name) return option;
  }
  throw UsageError("there is no such setting" + did_you_mean(similar_option(options, name)));
}

void set_option(Options& options, const OptionInfo& option, const toml::node& node,
                const std::string& place) {
  const std::vector<std::string> values = values_in(node, option.list);
  check_usage(!option.flag || node.is_boolean(), "expected true or false");
  options.give(option.setting_name(), values, place);  // what the command line gave wins
}

void apply(Options& options, const toml::table& settings, const std::string& file) {
  const std::vector<OptionInfo> all = options.all();
  for (const auto& [key, node] : settings) {
    const std::string name(key.str());
    const std::string place = text_of(printable(file), ":", key.source().begin.line);
    try {
      set_option(options, option_named(options, all, name), node, place);
    } catch (const UsageError& error) {
      throw UsageError(text_of(place, ": ", excerpt(name), ": ", error.what()));
    }
  }
}

// Behind the string that begins at `begin`, in one quote or in three.
size_t end_of_string(std::string_view text, size_t begin) {
  const char quote = text[begin];
  const std::string_view three = quote == '"' ? R"(""")" : "'''";
  const bool long_one = text.substr(begin).starts_with(three);
  const std::string_view end = long_one ? three : three.substr(0, 1);
  size_t at = begin + end.size();
  while (at < text.size() && !text.substr(at).starts_with(end) && (long_one || text[at] != '\n')) {
    at += quote == '"' && text[at] == '\\' ? 2 : 1;
  }
  at += end.size();
  while (long_one && at < text.size() && text[at] == quote) ++at;  // the last of its letters
  return at;
}

// A string begins a line or stands behind one of "=,.[{"; toml++ takes another quote for a letter.
bool begins_string(std::string_view text, size_t at) {
  if (text[at] != '"' && text[at] != '\'') return false;
  const size_t before = text.substr(0, at).find_last_not_of(" \t");
  return before == std::string_view::npos ||
         std::string_view("\r\n=,.[{").find(text[before]) != std::string_view::npos;
}

bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }

// A string in """ with escapes for what is beyond ASCII; behind a backslash, where TOML allows none
// of it, one that TOML does not know.
std::string with_escapes(std::string_view text) {
  std::string result;
  bool escape = false;  // begun by the backslash before
  for (size_t at = 0; at < text.size();) {
    if (is_ascii(text[at])) {
      escape = text[at] == '\\' && !escape;
      result += text[at++];
      continue;
    }
    std::array<char, 11> code{};
    std::snprintf(code.data(), code.size(), "\\U%08X",
                  static_cast<unsigned>(next_code_point(text, at)));
    result += std::exchange(escape, false) ? "?" : code.data();
  }
  return result;
}

// The same settings without what toml++ 3 is undefined for: some characters beyond ASCII where it
// looks for blanks. These are places outside of strings and comments, where TOML allows none and
// this throws, and strings in """, where it skips the blanks behind a \ that ends a line.
std::string for_parser(std::string_view text, const std::string& file) {
  const auto refuse = [&](size_t at, const char* why) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
    throw UsageError(text_of(printable(file), ":", line, ": this is not TOML: ", why));
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_utf8(text)) refuse(valid_utf8_prefix(text), "bytes that are not UTF-8");
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    if (begins_string(text, at)) {
      end = end_of_string(text, at);
    } else if (text[at] == '#') {
      end = text.find('\n', at);  // npos is beyond the end, too
    } else if (!is_ascii(text[at])) {
      refuse(at, "a character beyond ASCII outside of a text in quotes");
    }
    const std::string_view part = text.substr(at, end - at);
    result += part.starts_with(R"(""")") ? with_escapes(part) : std::string(part);
    at += part.size();
  }
  return result;
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

std::string value_text(const OptionInfo& option) {
  const bool bare = option.flag || !option.value.starts_with("TEXT");
  const std::string text = joined(option.values, ", ", [&](const std::string& value) {
    check_usage(is_utf8(value), option.names.back(), ": expected UTF-8, got ", excerpt(value));
    return bare ? value : quoted(value);
  });
  return option.list ? "[" + text + "]" : text;
}

}  // namespace

void read_settings(Options& options, std::istream& in, const std::string& file) {
  std::string text;
  for (char byte = 0; text.size() <= kLargestFile && in.get(byte);) text += byte;
  check_usage(text.size() <= kLargestFile, printable(file), ": settings of more than ",
              kLargestFile, " bytes");
  text = for_parser(text, file);
  toml::table settings;
  try {
    settings = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(text_of(printable(file), ":", error.source().begin.line,
                             ": this is not TOML: ", printable(error.description())));
  }
  apply(options, settings, file);
}

std::string settings_text(const Options& options) {
  std::string text;
  for (const OptionInfo& option : options.all()) {
    if (!option.setting) continue;
    const std::string value = value_text(option);
    const bool unset = value.empty() || (option.required && !option.given);
    if (!option.description.empty()) text += "# " + option.description + '\n';
    text += (unset ? "#" : "") + option.setting_name() + '=' + value + "\n\n";
  }
  return text;
}

}  // namespace heed::cli
