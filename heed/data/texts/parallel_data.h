// Pairs of texts, the second to be made from the first: translation, summaries, dialogue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/texts/classification_data.h"
#include "heed/io/file.h"

namespace heed::data {

struct TextPair {
  std::string source;
  std::string target;  // empty with Labels::kNone
  int64_t line = 0;    // from 1
  std::string file = {};
};

struct ParallelFiles {
  std::filesystem::path source;
  // As many lines as `source`. Empty: `source` is a table or JSON that holds both.
  std::filesystem::path target = {};
};

struct ParallelReadOptions {
  Format format = Format::kAuto;  // of one file with both; plain lines have one side only
  char delimiter = '\0';
  Header header = Header::kAuto;
  // kNone: there are no targets; `source` is a text a line (or the column of a table).
  Labels targets = Labels::kRequired;
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  // Of one file with both: the names of its columns or JSON members, or numbers of columns from 1.
  // Empty: a header or JSON members named source, src, input, article, document, text and target,
  // tgt, output, summary, highlights; without a header, of two columns, 1 and 2.
  std::string source_column = {};
  std::string target_column = {};
  // The columns that a model was trained with: taken where the file has them and no other is named.
  std::string known_source_column = {};
  std::string known_target_column = {};
  Limits limits = {};
};

struct ParallelData {
  std::string file;  // of the sources; the first of several
  std::vector<TextPair> pairs = {};
  // As the last file names them; empty: it has none.
  std::string source_column = {};
  std::string target_column = {};
};

// What a file is for these options.
FileLayout kind_of(TextLines& lines, const ParallelReadOptions& options,
                   LineReader::Wait wait = LineReader::Wait::kAll);

// Reads and checks the pairs. A pair with an empty side is left out with a warning (a source alone,
// with Labels::kNone, stays: answer n is about line n).
// Throws MissingInputError, IoError; DataError for a line over 16 MiB, damaged gzip data and what
// is over the limits; UsageError where the columns cannot be told.
ParallelData read_parallel(const ParallelFiles& files, const ParallelReadOptions& options,
                           DataReport& report);

// The same of sources that are open.
ParallelData read_parallel(TextLines& lines, const FileLayout& kind,
                           const ParallelReadOptions& options);

// Of any number of files: each a table or JSON with both sides; or plain lines, sources and targets
// alternating. UsageError for plain files without their other side.
ParallelData read_parallel_files(const std::vector<std::filesystem::path>& files,
                                 const ParallelReadOptions& options, DataReport& report);

// Moves a share of the pairs out of `train` for validation; the same source stays on one side.
ParallelData take_validation(ParallelData& train, double share, uint64_t seed, DataReport& report);

}  // namespace heed::data
