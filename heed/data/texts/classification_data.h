// Texts with labels, from files: `label text` lines, TSV, CSV, JSONL, plain text; each plain or
// gzip. Nothing is loaded silently: what is wrong goes into a DataReport.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/columns.h"
#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"
#include "heed/io/file.h"

namespace heed::data {

struct ReadOptions {
  // kAuto: by the content. Plain lines are kLabelText, or kText where labels are not wanted, unless
  // each of the first ones begins with one of label_names.
  Format format = Format::kAuto;
  char delimiter = '\0';  // of tables; '\0': told
  Header header = Header::kAuto;
  Labels labels = Labels::kRequired;
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  // Empty: told by the header, see docs/data.md; without one the label stands in column 1 and the
  // text in 2.
  std::string text_column = {};
  std::string label_column = {};
  // The columns that a model was trained with: taken where the file has them and no other is named.
  std::string known_text_column = {};
  std::string known_label_column = {};
  // The classes in the order of their indices, as training fixed them. Empty: every label of the
  // file, sorted (as numbers if all of them are whole numbers).
  std::vector<std::string> label_names = {};
  // Not empty: a text has any number of labels, none included, with this between them; in JSON the
  // label may be an array, whose elements are taken as they are. They are in Example::labels, and
  // Example::label is none.
  std::string label_separator = {};
  Limits limits = {};
};

struct Example {
  std::string text;
  std::optional<int32_t> label;      // index into label_names
  int64_t line = 0;                  // where its row begins, from 1; of a JSON document: its place
  std::vector<int32_t> labels = {};  // of several, in the order of their indices, each once
  uint32_t file = 0;                 // index into files
};

struct ClassificationData {
  std::vector<std::string> files;
  std::vector<std::string> label_names;
  std::vector<Example> examples = {};
  // As the last file with columns or members names them; empty: it has none.
  std::string text_column = {};
  std::string label_column = {};

  // "a.tsv, b.tsv".
  std::string name() const;

  // "reviews.tsv:12".
  std::string where(const Example& example) const;
};

// What a file is for these options; never kAuto. `wait`: see TextLines::kind.
FileLayout kind_of(TextLines& lines, const ReadOptions& options,
                   LineReader::Wait wait = LineReader::Wait::kAll);

// Reads files, the examples of all of them with one set of labels; "-" is standard input. In JSON a
// text may be an array of sentences, which become lines (see text/words/sentences.h). Rows with a
// problem are left out and reported; lines without anything in them are skipped. With Labels::kNone
// a row with an empty text stays, and in kText so does an empty line: answer n is about text n.
// Labels that look alike (canonical_label) are one class, which is reported.
// Throws MissingInputError, IoError; DataError for a line over 16 MiB, damaged gzip data and what
// is over the limits; UsageError where the columns cannot be told or a named one does not exist.
ClassificationData read_classification(const std::vector<std::filesystem::path>& files,
                                       const ReadOptions& options, DataReport& report);
ClassificationData read_classification(const std::filesystem::path& file,
                                       const ReadOptions& options, DataReport& report);

// The same of lines whose kind is known.
ClassificationData read_classification(TextLines& lines, const FileLayout& kind,
                                       const ReadOptions& options);

// Adds what only shows in the whole: fewer than two classes, classes without an example, one text
// under two labels.
void check_training_data(const ClassificationData& train, DataReport& report);

// The same for validation data beside the training data: classes without an example, texts that
// also stand in the training data (white space and ASCII case aside).
void check_validation_data(const ClassificationData& train, const ClassificationData& valid,
                           DataReport& report);

struct TrainingFiles {
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> valid = {};  // empty: a share of `train`
  // Without files in `valid`: the share of the training examples that is held back, the same of
  // each class (see split.h). 0: no validation data.
  double valid_share = 0;
  uint64_t seed = 1;
};

struct TrainingData {
  ClassificationData train;
  std::optional<ClassificationData> valid;  // with the label names of train
};

// All files, read and checked: what a training run starts from. Throws DataError that lists what
// was found if anything fatal was; warnings stay in the report.
TrainingData read_training_data(const TrainingFiles& files, const ReadOptions& options,
                                DataReport& report);

}  // namespace heed::data
