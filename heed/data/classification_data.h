// Texts with labels, from files: `label text` lines, TSV, CSV, JSONL, plain text; each plain or
// gzip. Nothing is loaded silently: what is wrong goes into a DataReport.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
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

enum class Encoding : uint8_t { kUtf8, kLatin1 };

// "utf-8", "latin-1". Throws UsageError for another name.
Encoding encoding_named(std::string_view name);

enum class Header : uint8_t {
  kAuto,  // a first row that holds a known column name (see docs/data.md) is one
  kYes,
  kNo,
};

enum class Labels : uint8_t {
  kRequired,  // a row without a label is a problem
  kNone,      // labels are not looked at (predict)
};

struct ReadOptions {
  Format format = Format::kByExtension;
  Header header = Header::kAuto;
  Labels labels = Labels::kRequired;
  Encoding encoding = Encoding::kUtf8;
  // A name of the header row or of a JSON member, or the number of a column from 1. Empty: text,
  // sentence, review, ... and label, class, ..., whichever is there (see docs/data.md); without a
  // header of two columns the first that is a label.
  std::string text_column = {};
  std::string label_column = {};
  // The classes in the order of their indices, as training fixed them. Empty: every label of the
  // file, sorted (as numbers if all of them are whole numbers).
  std::vector<std::string> label_names = {};
};

struct Example {
  std::string text;
  std::optional<int32_t> label;  // index into label_names
  int64_t line = 0;              // where its row begins, from 1
};

struct ClassificationData {
  std::string file;
  std::vector<std::string> label_names;
  std::vector<Example> examples;
};

// Reads a file ("-" is standard input, whose format must be set by hand unless it is kText or
// kLabelText). Rows with a problem are left out and reported. With Labels::kNone a row with an
// empty text stays, so that line n of the output is about line n of the input.
// Throws MissingInputError, IoError; UsageError where a named column does not exist.
ClassificationData read_classification(const std::filesystem::path& file,
                                       const ReadOptions& options, DataReport& report);

// Adds what only shows in the whole: no examples, fewer than two classes, classes without one, one
// text under two labels.
void check_training_data(const ClassificationData& train, DataReport& report);

// The same for validation data beside the training data: no examples, classes without one, texts
// that also stand in the training data (white space and case aside).
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
