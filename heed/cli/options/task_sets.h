// Sets of options that several tasks declare (heed/cli/task_kind.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "heed/cli/common.h"
#include "heed/cli/options/options.h"
#include "heed/data/open_table.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {

// --special-tokens: special tokens that the input spells are special tokens, and not text.
struct SpecialTokensOption {
  bool special_tokens = false;

  void add_to(Options& options);

  // Replaces the tokenizer by one that reads its special tokens, where they are wanted.
  void apply_to(std::shared_ptr<const text::Tokenizer>& tokenizer) const;
};

// --prompt-name, of models that make vectors of texts.
struct PromptOption {
  std::string name;

  void add_to(Options& options);
};

// --errors of `heed eval`, for tasks that can say what they answered wrongly.
struct ErrorsOption {
  std::string file;

  void add_to(Options& options);
  bool wanted() const { return !file.empty(); }
};

// Which of several possible answers `heed predict` gives.
struct AnswerChoice {
  std::optional<double> threshold = {};
  std::string unknown = "unknown";  // what to answer below it
  int64_t top = 5;                  // answers to list

  void add_to(Options& options);
};

// --valid-share and --test-share of data that one file holds.
struct HeldOutShares {
  double valid = 0.2;
  double test = 0.2;

  void add_to(Options& options, const std::string& group, const std::string& valid_help,
              const std::string& test_help);
};

// Of tables whose rows have times.
struct TimedRows {
  std::string time_column;
  bool skip_bad = false;

  void add_to(Options& options);
  void add_skip_bad(Options& options);  // of tables without times
};

// How a table is opened; of `table` the options that add_table_options() adds.
data::OpenTableOptions open_table_options(const ReadingOptions& table, const TimedRows& rows);

// "heed: FILE: 3 rows left out" on the messages; nothing where there are none.
void say_count(const std::string& file, int64_t count, const std::string& what);

inline constexpr const char* kRowsLeftOut = "rows left out, which cannot be used";

}  // namespace heed::cli
