#include "heed/cli/options/help.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "heed/base/joined.h"
#include "heed/io/utf8.h"

namespace heed::cli {
namespace {

constexpr size_t kNames = 30;     // columns that names may take before a description goes below
constexpr size_t kNarrow = 60;    // a terminal of less has all descriptions below
constexpr size_t kSmallest = 24;  // columns that a description has at least

// Columns that UTF-8 text takes; the help holds no wide characters.
size_t columns(const std::string& text) { return static_cast<size_t>(code_points(text)); }

std::string names_text(const OptionInfo& option) {
  std::string text = joined(option.names);
  if (option.positional) return text + (option.list ? " ..." : "");
  if (!option.value.empty()) text += " " + option.value + (option.list ? " ..." : "");
  return text;
}

std::string option_text(const OptionInfo& option, size_t width) {
  std::string text = "  " + names_text(option);
  const size_t indent = width < kNarrow ? 6 : kNames;
  if (columns(text) + 2 > indent) {
    text += '\n' + std::string(indent, ' ');
  } else {
    text.append(indent - columns(text), ' ');
  }
  return text + wrapped(full_description(option), width, indent, indent) + '\n';
}

std::string usage_text(const std::string& name, const std::vector<OptionInfo>& options) {
  std::string text = "Usage: " + name + " [OPTIONS]";
  for (const OptionInfo& option : options) {
    if (!option.positional) continue;
    const std::string value = option.names[0] + (option.list ? "..." : "");
    text += option.required ? " " + value : " [" + value + "]";
  }
  return text;
}

// The words of a command line: blanks between quotes do not part them.
std::vector<std::string> command_words(const std::string& line) {
  std::vector<std::string> words(1);
  char quote = '\0';
  for (const char c : line) {
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    }
    if (c == ' ' && quote == '\0') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// Whole command lines; those that are too long go on behind a backslash, as a shell reads them.
std::string examples_text(const std::string& examples, size_t width) {
  constexpr const char* kIndent = "  ";
  constexpr const char* kNextIndent = "      ";
  std::istringstream lines(examples);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (columns(line) <= width) {
      out += line + '\n';
      continue;
    }
    std::string row = kIndent;
    bool first = true;  // of its row
    const std::vector<std::string> words = command_words(line);
    for (const std::string& word : words) {
      const size_t mark = &word == &words.back() ? 0 : 2;  // " \\"
      if (!first && columns(row) + 1 + columns(word) + mark > width) {
        out += row + " \\\n";
        row = kNextIndent;
        first = true;
      }
      row += (first ? "" : " ") + word;
      first = false;
    }
    out += row + '\n';
  }
  return out;
}

}  // namespace

std::string wrapped(const std::string& text, size_t width, size_t indent, size_t column) {
  const size_t end = std::max(width, indent + kSmallest);
  std::string out(column < indent ? indent - column : 0, ' ');
  column = std::max(column, indent);
  bool first = true;  // of its line
  for (size_t at = text.find_first_not_of(' '); at < text.size();) {
    const size_t stop = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, stop - at);
    if (!first && column + 1 + columns(word) > end) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
      first = true;
    }
    out += (first ? "" : " ") + word;
    column += columns(word) + (first ? 0 : 1);
    first = false;
    at = std::min(text.find_first_not_of(' ', stop), text.size());
  }
  return out;
}

std::string help_text(const Options& of, size_t width) {
  const std::vector<OptionInfo> options = of.all();
  std::string text = wrapped(of.summary(), width, 0) + "\n\n" +
                     wrapped(usage_text(of.name(), options), width, 0) + '\n';
  std::vector<std::string> groups;  // in the order of their first option
  for (const OptionInfo& option : options) {
    const std::string group = option.positional ? "Arguments" : option.group;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  for (const std::string& group : groups) {
    text += '\n' + group + ":\n";
    for (const OptionInfo& option : options) {
      if ((option.positional ? "Arguments" : option.group) == group) {
        text += option_text(option, width);
      }
    }
  }
  return text + '\n' + examples_text(of.examples(), width);
}

}  // namespace heed::cli
