// Sentences with a tag for each word: CoNLL columns or JSON lines, plain or gzip, checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/texts/classification_data.h"
#include "heed/text/words/entity_tags.h"

namespace heed::data {

class TextLines;

struct NerSentence {
  std::vector<std::string> words;
  std::vector<std::string> tags;  // as many; empty with Labels::kNone
  int64_t line = 0;               // of its first word, from 1
  std::string file = {};
};

struct NerData {
  std::string file;
  text::TagScheme scheme = text::TagScheme::kBio;  // of the tags as they stand here
  std::vector<std::string> types;                  // of entities, sorted
  std::vector<NerSentence> sentences = {};
  // Of the last file with columns, where the number of the words' was said; none: it was not.
  std::optional<int64_t> word_column = {};
};

struct NerReadOptions {
  // kAuto: by the content; kConll: a word a line, its tag in the last column, a blank line ends a
  // sentence, lines that begin with -DOCSTART- are skipped; kJsonl, kJson: {"tokens": ["Tim",
  // "Cook"], "tags": ["B-PER", "I-PER"]}.
  Format format = Format::kAuto;
  // kNone: tags are not looked at and may be missing (predict); of columns only the word is read.
  Labels labels = Labels::kRequired;
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  // The scheme of the file; none: told by its tags, see scheme_of.
  std::optional<text::TagScheme> scheme = {};
  // The scheme to convert to; none: as the file has it.
  std::optional<text::TagScheme> convert_to = {};
  // Number of the column with the words, from 1; none: the one that a model was trained with, or
  // else the first.
  std::optional<int64_t> word_column = {};
  std::optional<int64_t> known_word_column = {};
  // kAny: tags are read as they are, as a measure of somebody's tags needs them; no conversion.
  enum class Tags : uint8_t { kChecked, kAny } tags = Tags::kChecked;
  // The types that may occur, as training fixed them. Empty: any.
  std::vector<std::string> types = {};
  Limits limits = {};
};

// BIOES if a tag begins with E- or S-; otherwise BIO if every sentence is allowed by it; otherwise
// IOB1 if that allows all; BIO where neither does.
text::TagScheme scheme_of(const std::vector<NerSentence>& sentences);

// "2" -> 2, the number of the column with the words; none of nothing. Throws UsageError for what is
// no such number.
std::optional<int64_t> word_column_of(const std::string& number);

// What a file is for these options: kConll, kJsonl or kJson. Throws UsageError for another format.
FileLayout kind_of(TextLines& lines, const NerReadOptions& options);

// Reads files; "-" is standard input. Types of entities that look alike (label_set.h) are one type,
// which is reported, unless tags are read as they are (Tags::kAny). A sentence with a fault is left
// out and reported with the line of the fault. Throws MissingInputError, IoError; DataError for a
// line over 16 MiB or damaged gzip data; UsageError for a word column below 1, and for a conversion
// of tags that are not checked.
NerData read_ner(const std::vector<std::filesystem::path>& files, const NerReadOptions& options,
                 DataReport& report);
NerData read_ner(const std::filesystem::path& file, const NerReadOptions& options,
                 DataReport& report);

// The same of lines that are open.
NerData read_ner(TextLines& lines, const NerReadOptions& options);

// Moves a share of the sentences, of each set of types the same, out of `train` for validation.
NerData take_validation(NerData& train, double share, uint64_t seed, DataReport& report);

}  // namespace heed::data
