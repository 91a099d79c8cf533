#include "heed/cli/options/task_sets.h"

#include <iostream>

namespace heed::cli {

void SpecialTokensOption::add_to(Options& options) {
  options.flag("--special-tokens", special_tokens,
               "Special tokens that the input spells, such as <|endoftext|>, are these tokens and "
               "not text; only for input of people you trust");
}

void SpecialTokensOption::apply_to(std::shared_ptr<const text::Tokenizer>& tokenizer) const {
  if (!special_tokens) return;
  tokenizer =
      std::make_shared<const text::Tokenizer>(tokenizer->with_specials(text::Specials::kAsTokens));
}

void PromptOption::add_to(Options& options) {
  options.add("--prompt-name", name,
              "Of models with prompts (query, passage): the one to put in front of the texts");
}

void ErrorsOption::add_to(Options& options) {
  options.add("--errors", file,
              "File to list what was answered wrongly in, the most confident first: TSV, or "
              "CSV or JSON lines where it is named .csv or .jsonl");
}

void AnswerChoice::add_to(Options& options) {
  const std::string group = "Choosing answers";
  options
      .add("--threshold", threshold,
           "Answer --unknown where nothing is at least this likely; of models that give "
           "several labels, or objects: give those that are")
      .share_or_nothing()
      .group(group);
  options.add("--unknown", unknown, "What to print where the threshold is not met").group(group);
  options.add("--top", top, "Answers that JSON and the column \"top\" list, likeliest first")
      .range(1, 1000)
      .group(group);
}

void HeldOutShares::add_to(Options& options, const std::string& group,
                           const std::string& valid_help, const std::string& test_help) {
  options.add("--valid-share", valid, valid_help).share_below_1().group(group);
  options.add("--test-share", test, test_help).share_below_1().group(group);
}

void TimedRows::add_to(Options& options) {
  options
      .add(
          "--time-column", time_column,
          "Column of the times, by name or number; none: there is none; without: told by the first "
          "row")
      .group("Reading data");
  add_skip_bad(options);
}

void TimedRows::add_skip_bad(Options& options) {
  options.flag("--skip-bad", skip_bad, "Leave out rows that cannot be used, and count them")
      .group("Reading data");
}

data::OpenTableOptions open_table_options(const ReadingOptions& table, const TimedRows& rows) {
  const data::ReadOptions file = table.parsed();
  return {.encoding = file.encoding,
          .delimiter = file.delimiter,
          .skip_bad = rows.skip_bad,
          .limits = file.limits};
}

void say_count(const std::string& file, int64_t count, const std::string& what) {
  if (count > 0) std::cerr << "heed: " << file << ": " << count << ' ' << what << '\n';
}

}  // namespace heed::cli
