// What a file of examples is, told by its first bytes; its name only helps where they leave a
// choice. Every command that reads examples asks here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/limits.h"

namespace heed::data {

enum class Format : uint8_t {
  kAuto,       // told by the content
  kLabelText,  // the label, one space or tab, the text; no header
  kTsv,        // columns with a tab between them, no quotes
  kCsv,        // RFC 4180: quoted cells may hold delimiters, quotes ("") and line breaks
  kJsonl,      // a JSON object on each line
  kJson,       // one JSON document: an array of objects, or an object with them in "data"
  kConll,      // a word and its tags on each line, blank lines between sentences
  kStories,    // numbered lines, some of them questions with tabs (bAbI)
  kText,       // a text on each line
};

// "auto", "label-text", "tsv", "csv", "jsonl", "json", "conll", "text": what readers of examples
// can be told. Throws UsageError for another name.
Format format_named(std::string_view name);
std::vector<std::string> format_names();
std::string_view name_of(Format format);  // of kStories, "babi"

enum class CharacterEncoding : uint8_t { kUtf8, kLatin1 };

// "utf-8", "latin-1". Throws UsageError for another name.
CharacterEncoding encoding_named(std::string_view name);
std::vector<std::string> encoding_names();

// A character that stands between columns: itself, or "tab". '\0' for an empty name: told by the
// content. Throws UsageError for anything else that is not one character.
char delimiter_named(std::string_view name);

// "a tab", "';'".
std::string described(char delimiter);

struct FileLayout {
  Format format = Format::kText;  // never kAuto; kText also where lines begin with labels
  char delimiter = '\t';          // of kTsv and kCsv
};

// The beginning of a file, whole lines of it but for the last one of a file that ends there.
struct FileHead {
  std::string_view text;
  std::filesystem::path name;  // "reviews.csv.gz"; its case does not matter
};

// kJsonl, kJson, kConll and kStories by what the lines are; kTsv and kCsv where all rows have the
// same number of columns and either the name says so, a header has two of the usual names, or, with
// tabs, there are several rows; kText otherwise.
FileLayout kind_of(const FileHead& head);

// Names that columns usually have, the likeliest first; lower case.
std::span<const std::string_view> usual_text_names();
std::span<const std::string_view> usual_label_names();
std::span<const std::string_view> usual_source_names();
std::span<const std::string_view> usual_target_names();

// With ASCII letters in lower case.
std::string lower_case_of(std::string_view text);

// How a table is opened (open_table.h).
struct OpenTableOptions {
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  char delimiter = '\0';  // as kind_of() tells it; else a tab, a semicolon, a comma or a bar,
                          // whichever the first line has; else a blank
  bool skip_bad = false;  // rows that cannot be used are left out and counted
  Limits limits = {};
};

}  // namespace heed::data
