// Plain text for language models.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"

namespace heed::data {

struct TextData {
  std::string train;
  std::string valid;  // may be empty
};

struct TextFiles {
  std::vector<std::filesystem::path> train;       // one after the other
  std::vector<std::filesystem::path> valid = {};  // empty: a share of `train`
};

struct TextReadOptions {
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  // Without files for validation: this share of the characters, the last ones. In [0, 1).
  double valid_share = 0.1;
  Limits limits = {};
};

// Reads whole files, plain or gzip; "-" is standard input. Every line ends in \n, whatever it ended
// in, the last one of a file too, and may be of any length.
// Throws MissingInputError, IoError; DataError for damaged gzip data and what is over the limits;
// UsageError without a file for training and for a share out of range. Bytes that are no text, and
// a training or validation part without any character, are reported.
TextData read_text(const TextFiles& files, const TextReadOptions& options, DataReport& report);

}  // namespace heed::data
