#include "heed/data/file_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "heed/base/error.h"
#include "heed/io/named.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr size_t kRowsLookedAt = 200;

constexpr NameTable<Format, 8> kFormats = {{
    {"auto", Format::kAuto},
    {"label-text", Format::kLabelText},
    {"tsv", Format::kTsv},
    {"csv", Format::kCsv},
    {"jsonl", Format::kJsonl},
    {"json", Format::kJson},
    {"conll", Format::kConll},
    {"text", Format::kText},
}};

constexpr NameTable<CharacterEncoding, 2> kEncodings = {{
    {"utf-8", CharacterEncoding::kUtf8},
    {"latin-1", CharacterEncoding::kLatin1},
}};

constexpr std::array<std::string_view, 10> kTextNames = {
    "text",     "sentence", "review", "content",  "message",
    "question", "comment",  "tweet",  "document", "body"};
constexpr std::array<std::string_view, 9> kLabelNames = {
    "label", "class", "category", "sentiment", "target", "tag", "intent", "polarity", "rating"};
constexpr std::array<std::string_view, 6> kSourceNames = {"source",  "src",      "input",
                                                          "article", "document", "text"};
constexpr std::array<std::string_view, 5> kTargetNames = {"target", "tgt", "output", "summary",
                                                          "highlights"};

// ".csv" of "A.CSV.gz".
std::string extension_of(const std::filesystem::path& file) {
  std::filesystem::path name = lower_case_of(file.filename().string());
  if (name.extension() == ".gz") name = name.stem();
  return name.extension().string();
}

std::vector<std::string_view> filled_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < kRowsLookedAt) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trimmed(line).empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Where the JSON object or array that `text` begins with ends; npos if it goes on, or if brackets
// close that were not opened.
size_t json_end(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Whether an object has `"data": [` before anything nested.
bool has_data_member(std::string_view object) {
  const size_t name = object.find("\"data\"");
  if (name == std::string_view::npos || object.find_first_of("{[", 1) < name) return false;
  const std::string_view rest = trimmed(object.substr(name + 6));
  return rest.starts_with(':') && trimmed(rest.substr(1)).starts_with('[');
}

// `lines`: the name says that there is an object on each line.
std::optional<Format> json_format(std::string_view text, bool lines) {
  text = text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (text.empty() || (text[0] != '{' && text[0] != '[')) return std::nullopt;
  const std::string_view inside = trimmed(text.substr(1, 200));
  const size_t end = json_end(text);
  const size_t line = std::min(text.find('\n'), text.size());
  if (text[0] == '[') {
    if (!inside.starts_with('{') && inside != "]") return std::nullopt;
    const bool ends_well =
        end == std::string_view::npos ||
        trimmed(text.substr(end, std::min(text.find('\n', end), text.size()) - end)).empty();
    return ends_well ? std::optional(Format::kJson) : std::nullopt;
  }
  if (!inside.starts_with('"') && !inside.starts_with('}')) return std::nullopt;
  if (end == std::string_view::npos) {  // over several lines, or a line longer than what is seen
    const bool document = has_data_member(text) || (line < text.size() && !lines);
    return document ? Format::kJson : Format::kJsonl;
  }
  if (end > line) return Format::kJson;
  if (!trimmed(text.substr(end, line - end)).empty()) return std::nullopt;
  const bool alone = trimmed(text.substr(line)).empty();
  return alone && has_data_member(text) ? Format::kJson : Format::kJsonl;
}

// A mistake in one line makes a file no other one: the reader names the line.
bool are_few(size_t mistakes, size_t lines) { return mistakes * 10 <= lines; }

// "1 Mary moved.", "2 John ran.", "3 Where is Mary?<tab>bathroom", "1 …": numbers that go up by one
// or begin again, and a question.
bool are_stories(const std::vector<std::string_view>& lines) {
  int64_t last = 0;
  bool question = false;
  size_t mistakes = 0;
  for (const std::string_view line : lines) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || end == line.data() + line.size() || *end != ' ') {
      ++mistakes;
      continue;
    }
    if (number != 1 && (last == 0 || number != last + 1)) ++mistakes;
    last = number;
    question = question || line.find('\t') != std::string_view::npos;
  }
  return question && are_few(mistakes, lines.size());
}

bool is_tag(std::string_view cell) {
  return cell == "O" || (cell.size() > 2 && cell[1] == '-' &&
                         std::string_view("BIESLU").find(cell[0]) != std::string_view::npos);
}

// Words with an entity tag in the last column.
bool are_tagged_words(const std::vector<std::string_view>& lines) {
  size_t words = 0, mistakes = 0;
  for (const std::string_view line : lines) {
    if (line.starts_with("-DOCSTART-")) continue;
    const size_t blank = trimmed(line).find_last_of(" \t");
    if (blank == std::string_view::npos || !is_tag(trimmed(line).substr(blank + 1))) ++mistakes;
    ++words;
  }
  return words > 1 && are_few(mistakes, words);
}

using SplitRow = std::vector<std::string>;

// The first rows of a table; quotes count but between tabs.
std::vector<SplitRow> rows_in(std::string_view text, char delimiter) {
  std::vector<SplitRow> rows;
  SplitRow row(1);
  bool quoted = false;
  const auto finish = [&] {
    if (row.back().ends_with('\r')) row.back().pop_back();
    if (row.size() > 1 || !trimmed(row[0]).empty()) rows.push_back(row);
    row.assign(1, "");
  };
  for (size_t i = 0; i < text.size() && rows.size() < kRowsLookedAt; ++i) {
    const char c = text[i];
    if (c == '"' && delimiter != '\t' && (quoted || row.back().empty())) {
      quoted = !quoted;
    } else if (c == '\n' && !quoted) {
      finish();
    } else if (c == delimiter && !quoted) {
      row.emplace_back();
    } else {
      row.back() += c;
    }
  }
  if (!quoted) finish();
  return rows;
}

bool is_usual(const std::string& name) {
  const auto has = [&](const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return has(kTextNames) || has(kLabelNames) || has(kSourceNames) || has(kTargetNames);
}

// How well rows fit a delimiter.
struct Fit {
  bool even = false;  // all have the same number of columns, two at least
  size_t rows = 0;    // how many there are
  int64_t names = 0;  // usual names in the first one
};

Fit fit_of(std::string_view text, char delimiter) {
  const std::vector<SplitRow> rows = rows_in(text, delimiter);
  if (rows.empty()) return {};
  const size_t columns = rows[0].size();
  Fit fit{.even = columns > 1, .rows = rows.size()};
  for (const SplitRow& row : rows) fit.even = fit.even && row.size() == columns;
  if (columns < 2) return fit;
  fit.names = std::count_if(rows[0].begin(), rows[0].end(), [](const std::string& cell) {
    return is_usual(lower_case_of(trimmed(cell)));
  });
  return fit;
}

FileLayout table(char delimiter) {
  return {.format = delimiter == '\t' ? Format::kTsv : Format::kCsv, .delimiter = delimiter};
}

// Of a file that its name calls a table with `usual` between the columns, which others take the
// place of where the rows say so.
FileLayout named_table(std::string_view text, char usual) {
  std::vector<char> candidates = {usual};
  for (const char other : {',', ';', '\t', '|'}) {
    if (other != usual) candidates.push_back(other);
  }
  for (const char each : candidates) {
    if (fit_of(text, each).names > 1) return table(each);
  }
  for (const char each : candidates) {
    if (fit_of(text, each).even) return table(each);
  }
  return table(usual);
}

std::optional<FileLayout> table_of(std::string_view text) {
  for (const char each : {'\t', ',', ';', '|'}) {
    const Fit fit = fit_of(text, each);
    const bool header = fit.names > 1;
    if (fit.even && (header || (each == '\t' && fit.rows > 1))) return table(each);
  }
  return std::nullopt;
}

}  // namespace

std::span<const std::string_view> usual_text_names() { return kTextNames; }
std::span<const std::string_view> usual_label_names() { return kLabelNames; }
std::span<const std::string_view> usual_source_names() { return kSourceNames; }
std::span<const std::string_view> usual_target_names() { return kTargetNames; }

std::string lower_case_of(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 0x20);
  }
  return result;
}

Format format_named(std::string_view name) { return value_named(kFormats, name, "format"); }

std::vector<std::string> format_names() { return names_in(kFormats); }

std::string_view name_of(Format format) {
  return format == Format::kStories ? "babi" : name_in(kFormats, format);
}

CharacterEncoding encoding_named(std::string_view name) {
  return value_named(kEncodings, name, "encoding");
}

std::vector<std::string> encoding_names() { return names_in(kEncodings); }

char delimiter_named(std::string_view name) {
  if (name.empty()) return '\0';
  if (name == "tab") return '\t';
  const bool usable =
      name.size() == 1 && name[0] != '"' && name[0] != '\n' && name[0] != '\r' && name[0] != '\0';
  check_usage(
      usable && is_utf8(name),
      "delimiter: expected tab or one ASCII character that is no quote, such as , or ;, got ",
      excerpt(name));
  return name[0];
}

std::string described(char delimiter) {
  return delimiter == '\t' ? "a tab" : text_of('\'', printable({&delimiter, 1}), '\'');
}

FileLayout kind_of(const FileHead& head) {
  const std::string extension = extension_of(head.name);
  const bool lines_by_name = extension == ".jsonl" || extension == ".ndjson";
  if (const auto json = json_format(head.text, lines_by_name)) return {.format = *json};
  if (lines_by_name) return {.format = Format::kJsonl};
  if (extension == ".tsv" || extension == ".tab") return named_table(head.text, '\t');
  if (extension == ".csv") return named_table(head.text, ',');
  if (extension == ".psv") return named_table(head.text, '|');
  const auto lines = filled_lines(head.text);
  if (extension == ".conll" || are_tagged_words(lines)) return {.format = Format::kConll};
  if (are_stories(lines)) return {.format = Format::kStories};
  return table_of(head.text).value_or(FileLayout{});
}

}  // namespace heed::data
