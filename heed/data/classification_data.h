// Texts with labels, from files: `label text` lines, TSV, CSV, JSONL, plain text; each plain or
// gzip. Nothing is loaded silently: what is wrong goes into a DataReport.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/data_report.h"

namespace heed::data {

enum class Format : uint8_t {
  // By the extension (a .gz after it is looked through): .tsv .csv .jsonl (.ndjson); anything else
  // is kLabelText, or kText where labels are not wanted.
  kByExtension,
  kLabelText,  // the label, one space or tab, the text; no header
  kTsv,        // columns with a tab between them, no quotes
  kCsv,        // RFC 4180: quoted cells may hold commas, quotes ("") and line breaks
  kJsonl,      // a JSON object on each line
  kText,       // a text on each line, no labels
};

// "auto", "label-text", "tsv", "csv", "jsonl", "text". Throws UsageError for another name.
Format format_named(std::string_view name);
std::string_view name_of(Format format);

enum class Labels : uint8_t {
  kRequired,  // a row without a label is a problem
  kNone,      // labels are not looked at (predict)
};

// What kByExtension means for this file; any other format is itself.
Format format_of(const std::filesystem::path& file, Format format, Labels labels);

enum class Encoding : uint8_t { kUtf8, kLatin1 };

// "utf-8", "latin-1". Throws UsageError for another name.
Encoding encoding_named(std::string_view name);

enum class Header : uint8_t {
  kAuto,  // a first row that holds a known column name (see docs/data.md) is one
  kYes,
  kNo,
};

struct ReadOptions {
  Format format = Format::kByExtension;
  Header header = Header::kAuto;
  Labels labels = Labels::kRequired;
  Encoding encoding = Encoding::kUtf8;
  // A name of the header row or of a JSON member, or the number of a column from 1. Empty: told by
  // the header, see docs/data.md; without one the label stands in column 1 and the text in 2.
  std::string text_column = {};
  std::string label_column = {};
  // The classes in the order of their indices, as training fixed them. Empty: every label of the
  // file, sorted (as numbers if all of them are whole numbers).
  std::vector<std::string> label_names = {};
  // Not empty: a text has any number of labels, none included, with this between them; in JSONL
  // the label may be an array. They are in Example::labels, and Example::label is none.
  std::string label_separator = {};
};

struct Example {
  std::string text;
  std::optional<int32_t> label;      // index into label_names
  int64_t line = 0;                  // where its row begins, from 1
  std::vector<int32_t> labels = {};  // of several, in the order of their indices, each once
};

struct ClassificationData {
  std::string file;
  std::vector<std::string> label_names;
  std::vector<Example> examples;
};

// Reads a file; "-" is standard input. In JSONL a text may be an array of sentences, which become
// lines (see text/sentences.h). Rows with a problem are left out and reported; lines without
// anything in them are skipped. With Labels::kNone a row with an empty text stays, and in kText so
// does an empty line: answer n is about text n.
// Throws MissingInputError, IoError; DataError for a line over 16 MiB or damaged gzip data;
// UsageError where the columns cannot be told or a named one does not exist.
ClassificationData read_classification(const std::filesystem::path& file,
                                       const ReadOptions& options, DataReport& report);

// Adds what only shows in the whole: fewer than two classes, classes without an example, one text
// under two labels.
void check_training_data(const ClassificationData& train, DataReport& report);

// The same for validation data beside the training data: classes without an example, texts that
// also stand in the training data (white space and ASCII case aside).
void check_validation_data(const ClassificationData& train, const ClassificationData& valid,
                           DataReport& report);

struct TrainingFiles {
  std::filesystem::path train;
  std::filesystem::path valid = {};  // empty: none
};

struct TrainingData {
  ClassificationData train;
  std::optional<ClassificationData> valid;  // with the label names of train
};

// Both files, read and checked: what a training run starts from. Throws DataError that lists what
// was found if anything fatal was; warnings stay in the report.
TrainingData read_training_data(const TrainingFiles& files, const ReadOptions& options,
                                DataReport& report);

}  // namespace heed::data
