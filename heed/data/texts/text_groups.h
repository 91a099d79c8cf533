// Texts that belong together: pairs, pairs with a text that does not belong to them, and pairs that
// somebody has judged. What vectors of texts are trained and measured on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"

namespace heed::data {

struct TextGroup {
  std::string anchor;                // a query, a question, a sentence
  std::string positive;              // what belongs to it; of a judged pair, the other text
  std::string negative = {};         // what does not; empty: there is none
  std::optional<double> score = {};  // how alike the two are, of a judged pair
  int64_t line = 0;                  // from 1
};

struct TextGroups {
  std::string file;  // the first of several
  std::vector<TextGroup> groups = {};
  bool judged = false;  // all have a score; otherwise none has
};

struct TextGroupOptions {
  Format format = Format::kAuto;
  char delimiter = '\0';
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  Limits limits = {};
};

// Tables of two or three columns, or JSON objects. A first row with names, or the members of an
// object: anchor, query, question, sentence1, text1, premise; positive, answer, passage, document,
// sentence2, text2, hypothesis; negative; score, similarity, label. Without names the columns stand
// in this order, and a third one of numbers is the score. Rows that cannot be used are left out and
// reported. Throws MissingInputError, IoError, DataError, and UsageError for files of plain lines
// and for files of which some have scores and others have not.
TextGroups read_text_groups(const std::vector<std::filesystem::path>& files,
                            const TextGroupOptions& options, DataReport& report);

// Moves a share of the groups out of `train` for validation; the same anchor stays on one side.
TextGroups take_validation(TextGroups& train, double share, uint64_t seed, DataReport& report);

}  // namespace heed::data
