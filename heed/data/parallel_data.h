// Pairs of texts, the second to be made from the first: translation, summaries, dialogue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/data/classification_data.h"
#include "heed/data/data_report.h"

namespace heed::data {

struct TextPair {
  std::string source;
  std::string target;  // empty with Labels::kNone
  int64_t line = 0;    // from 1
};

struct ParallelData {
  std::string file;  // of the sources
  std::vector<TextPair> pairs;
};

struct ParallelFiles {
  std::filesystem::path source;
  // As many lines as `source`. Empty: `source` is a TSV, CSV or JSONL file that holds both.
  std::filesystem::path target = {};
};

struct ParallelReadOptions {
  // kNone: there are no targets; `source` is a text a line (or the column of a table).
  Labels targets = Labels::kRequired;
  Encoding encoding = Encoding::kUtf8;
  // Of one file with both: the names of its columns or JSON members, or numbers of columns from 1.
  // Empty: a header or JSON members named source, src, input, article, document, text and target,
  // tgt, output, summary, highlights; without a header columns 1 and 2.
  std::string source_column = {};
  std::string target_column = {};
};

// Reads and checks the pairs. A pair with an empty side is left out with a warning (a source alone,
// with Labels::kNone, stays: answer n is about line n).
// Throws MissingInputError, IoError; DataError for a line over 16 MiB or damaged gzip data;
// UsageError where the columns cannot be told.
ParallelData read_parallel(const ParallelFiles& files, const ParallelReadOptions& options,
                           DataReport& report);

}  // namespace heed::data
