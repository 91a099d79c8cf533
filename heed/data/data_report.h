// What is wrong with input data: every problem counted by kind, the first few of each kind kept
// with file and line. docs/data.md holds the table of kinds and which of them are fatal.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heed::data {

enum class ProblemKind : uint8_t {
  kNotUtf8,          // bytes that are not UTF-8
  kControlByte,      // a NUL byte: the file is not text
  kMalformedRow,     // a quote that never ends, a line that is not a JSON object, ...
  kColumnCount,      // another number of columns than the rows before
  kMissingText,      // a JSON object without the text, or with one that is no string
  kEmptyText,        // nothing but white space
  kMissingLabel,     // no label, or an empty one
  kUnknownLabel,     // a label outside the label set
  kNoExamples,       // a file without any usable row
  kOneClass,         // training data with fewer than two classes
  kEmptyClass,       // a class without an example in the training data
  kEmptyClassValid,  // the same in the validation data
  kRepeatedText,     // a validation text that is also a training text
  kTwoLabels,        // one training text under two labels
  kBadTag,           // an entity tag that the scheme does not allow where it stands
  kLineCount,        // two files that belong together have different numbers of lines
  kStoryOrder,       // a line of a story without its number, a fact that no line before it holds
  kAnswerPlace,      // an answer that does not stand in its text where it is said to
  kLookAlike,        // a label that differs from another only in how its letters are encoded
  kCount,            // no kind: how many there are
};
inline constexpr auto kProblemKinds = static_cast<int>(ProblemKind::kCount);

enum class ProblemSeverity : uint8_t { kWarning, kFatal };

// "not UTF-8", "empty text", ...
std::string_view name_of(ProblemKind kind);

// The documented rule.
ProblemSeverity severity_of(ProblemKind kind);

struct DataProblem {
  std::string where;   // "file:line", or "file" where no single line is to blame
  std::string detail;  // what was expected and what came
};

class DataReport {
 public:
  // How many problems of each kind are kept word by word; the rest are counted.
  static constexpr int64_t kKept = 5;

  void add(ProblemKind kind, std::string_view file, int64_t line, std::string_view detail);

  // What a reader assumed where nothing said it: "a.csv: no header; …". One line.
  void note(std::string_view what) { notes_.emplace_back(what); }
  const std::vector<std::string>& notes() const { return notes_; }

  int64_t count(ProblemKind kind) const;
  int64_t fatal_count() const;
  int64_t warning_count() const;
  bool empty() const { return fatal_count() + warning_count() == 0; }

  // The first kKept of this kind, in the order they were found.
  const std::vector<DataProblem>& examples(ProblemKind kind) const;

  // A few lines for people: a line for each kind that occurred ("error: not UTF-8: 12 rows"),
  // under it the problems that were kept. Empty where there is none.
  std::string text() const;

  // Throws DataError with text() if anything fatal was found.
  void throw_if_fatal() const;

 private:
  struct Entry {
    int64_t count = 0;
    std::vector<DataProblem> kept;
  };
  std::array<Entry, kProblemKinds> entries_;
  std::vector<std::string> notes_;
};

}  // namespace heed::data
