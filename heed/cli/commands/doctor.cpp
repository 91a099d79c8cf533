#include <iostream>
#include <optional>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/doctor/checks.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {
namespace {

struct Settings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  std::vector<std::string> test;
  std::string task = "auto";
  std::string label_separator;
  std::string tokenizer;
  int64_t max_length = 512;
  bool no_model = false;
  bool json = false;
  ReadingOptions reading;
};

doctor::Report examine(const Settings& settings) {
  data::ReadOptions options = settings.reading.parsed();
  options.label_separator = settings.label_separator;
  const std::vector<doctor::SplitFiles> splits = {{"train", paths_of(settings.train)},
                                                  {"valid", paths_of(settings.valid)},
                                                  {"test", paths_of(settings.test)}};
  const doctor::Data data =
      doctor::read_samples(splits, doctor::task_named(settings.task), options);
  for (const std::string& note : data.reading.notes()) std::cerr << "heed: " << note << '\n';
  std::optional<text::Tokenizer> tokenizer;
  if (!settings.tokenizer.empty()) tokenizer = text::Tokenizer::load(settings.tokenizer);

  doctor::Report report;
  for (const doctor::Split& split : data.splits) {
    report.numbers["samples"][split.name] = split.samples.size();
  }
  doctor::check_reading(data, report);
  doctor::check_columns(splits, options, report);
  doctor::check_duplicates(data, report);
  doctor::check_balance(data, report);
  doctor::check_lengths(
      data, {.tokenizer = tokenizer ? &*tokenizer : nullptr, .max_length = settings.max_length},
      report);
  doctor::check_characters(data, report);
  if (!settings.no_model) doctor::check_labels(data, report);
  return report;
}

void run(const Settings& settings) {
  const doctor::Report report = examine(settings);
  if (settings.json) {
    std::cout << report.json().dump() << '\n';
  } else {
    for (const auto& [name, count] : report.numbers["samples"].items()) {
      std::cout << name << ": " << count << " samples\n";
    }
    std::cout << report.text();
  }
  flush_output();
  if (!report.go_on()) {
    throw DataError("the data should not be trained on as it is: see what is marked 'stop'");
  }
}

void define(Options& options, Settings& s) {
  options.add("data", s.train, "Files to train on").required();
  options.add("--valid", s.valid, "Files to validate on");
  options.add("--test", s.test, "Files to test on");
  options.add("--task", s.task, "What the data is for; auto: told by the files")
      .one_of({"auto", "classify", "ner", "seq2seq", "lm"});
  options.add("--label-separator", s.label_separator,
              "What stands between the labels of a text that has several");
  options.add("--tokenizer", s.tokenizer,
              "A tokenizer.json to count tokens with; without it words are counted");
  options.add("--max-length", s.max_length, "Tokens that the model will read of a text")
      .at_least(1);
  options.flag("--no-model", s.no_model, "Leave out the quick model that looks for wrong labels");
  options.flag("--json", s.json, "Print one JSON object");
  s.reading.add_to(options);
}

}  // namespace

Command doctor_command() {
  return {
      .path = "doctor",
      .summary = "Check data before training on it",
      .examples =
          "  heed doctor train.tsv\n"
          "  heed doctor train.tsv --valid valid.tsv --test test.tsv --json\n"
          "  heed doctor train.tsv --tokenizer tokenizer.json --max-length 128\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
