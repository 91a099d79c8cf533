#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/progress.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/line_queue.h"
#include "heed/cli/options/validators.h"
#include "heed/cli/table_writer.h"
#include "heed/cli/trained.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  std::vector<std::string> files;
  ReadingOptions reading;
  ThreadOptions threads;
  PredictionOptions prediction;
  bool json = false;
  bool special_tokens = false;
  std::vector<std::string> columns;
  bool csv = false;
  const CLI::App* app = nullptr;

  bool table() const { return csv || !columns.empty(); }
};

// Answers inputs and prints the answers, in order. An input that cannot be answered leaves an empty
// line, or an object that says why, and is named on stderr; the others are answered as ever.
class Printer {
 public:
  Printer(const Settings& settings, Trained& trained) : settings_(settings), trained_(trained) {}

  void answer(std::span<const Input> inputs) {
    if (inputs.empty()) return;
    try {
      const std::vector<Answer> answers = trained_.predict(inputs, settings_.prediction);
      for (size_t i = 0; i < answers.size(); ++i) print(inputs[i], answers[i]);
    } catch (const DataError& error) {
      if (inputs.size() > 1) {
        answer(inputs.first(inputs.size() / 2));
        answer(inputs.subspan(inputs.size() / 2));
        return;
      }
      const std::string why = error.what();
      std::cerr << "heed: " << inputs[0].where << ": " << why << '\n';
      ++failed_;
      leave_out(inputs[0], why);
    }
  }

  // An input that reading reported.
  void leave_out(const Input& input, const std::string& why) {
    if (settings_.table()) {
      table_.add({{"where", input.where}, {"text", input.text}});
    } else {
      std::cout << (settings_.json ? OrderedJson{{"where", input.where}, {"error", why}}.dump()
                                   : std::string())
                << '\n';
    }
  }

  // Throws DataError where an input was left out.
  void finish(const data::DataReport& report) {
    flush_output();
    warn(trained_.warnings());
    for (const std::string& note : report.notes()) std::cerr << "heed: " << note << '\n';
    std::cerr << report.text();
    const int64_t left_out = failed_ + report.fatal_count();
    if (left_out > 0) {
      throw DataError(text_of(left_out, left_out == 1 ? " input" : " inputs",
                              " could not be answered, named above; the others were"));
    }
  }

 private:
  void print(const Input& input, const Answer& answer) {
    if (settings_.table()) {
      OrderedJson row = answer.json;
      row["where"] = input.where;
      if (!row.contains("text")) row["text"] = input.text;
      table_.add(row);
    } else {
      std::cout << (settings_.json ? answer.json.dump() : answer.line) << '\n';
    }
  }

  const Settings& settings_;
  Trained& trained_;
  TableWriter table_{settings_.columns,
                     settings_.csv ? TableWriter::Form::kCsv : TableWriter::Form::kTsv,
                     [](const std::string& line) { std::cout << line; }};
  int64_t failed_ = 0;  // that the model could not answer
};

// Each line is answered as soon as it is there.
void answer_lines(data::TextLines& lines, Printer& printer) {
  LineQueue queue(lines);
  for (auto taken = queue.take(); !taken.empty(); taken = queue.take()) {
    std::vector<Input> inputs;
    for (LineQueue::Line& line : taken) {
      const std::string where = text_of(lines.file(), ":", line.number);
      if (line.text) {
        inputs.push_back({.text = std::move(*line.text), .where = where});
        continue;
      }
      printer.answer(std::exchange(inputs, {}));
      printer.leave_out({.text = {}, .where = where}, "not text");
    }
    printer.answer(inputs);
    flush_output();
  }
}

void run(Settings& settings) {
  settings.threads.apply();
  // Options that cannot be used, before the model is loaded.
  const data::ReadOptions reading = settings.reading.parsed();
  check_usage(!settings.json || !settings.table(),
              "--json: has no meaning beside --columns and --csv");
  settings.prediction.color = colors_wanted(STDOUT_FILENO);
  settings.prediction.list_top =
      std::count(settings.columns.begin(), settings.columns.end(), "top");
  const auto trained = load_trained(settings.directory);
  std::vector<std::string> options = trained->prediction_options();
  if (!trained->tokenizers().empty()) options.emplace_back("special-tokens");
  check_options(*settings.app, options, *trained);
  if (settings.special_tokens) trained->read_special_tokens();
  if (settings.files.empty()) settings.files = {"-"};
  Printer printer(settings, *trained);
  data::DataReport report;
  for (const std::string& file : settings.files) {
    data::TextLines lines(file, {.encoding = reading.encoding}, report);
    if (const auto inputs = trained->read_inputs(lines, settings.reading, report)) {
      printer.answer(*inputs);
    } else {
      answer_lines(lines, printer);
    }
  }
  printer.finish(report);
}

void add_prediction_options(CLI::App& app, Settings& settings) {
  PredictionOptions& p = settings.prediction;
  app.add_option("--threshold", p.threshold,
                 "Answer --unknown where no class is at least this likely; of models that give "
                 "several labels: give those that are")
      ->check(share_or_nothing())
      ->group("Classes");
  app.add_option("--unknown", p.unknown, "What to print where the threshold is not met")
      ->group("Classes");
  app.add_option("--top", p.top, "Answers that JSON and the column \"top\" list, likeliest first")
      ->check(CLI::Range(1, 1000))
      ->group("Classes");
  app.add_option("--num-beams", p.num_beams, "Sequences that beam search keeps; 1: greedy")
      ->check(CLI::Range(1, 1000))
      ->group("Written answers");
  app.add_option("--length-penalty", p.length_penalty,
                 "Hypotheses are ranked by log-probability / length to this power")
      ->group("Written answers");
  app.add_option("--max-new-tokens", p.max_new_tokens, "Tokens of an answer, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Written answers");
}

void define(CLI::App& app, Settings& s) {
  s.app = &app;
  app.add_option("model", s.directory, "Directory of a trained model")->required();
  app.add_option("files", s.files,
                 "A text or a question on each line, or files as `heed eval` reads them, whose "
                 "answers need not be there; - or none reads standard input")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_prediction_options(app, s);
  app.add_flag("--json", s.json, "Print a JSON object a line, with all there is to say");
  add_special_tokens(app, s.special_tokens);
  app.add_option("--columns", s.columns,
                 "Print a table with these members of the JSON as columns, commas between them, "
                 "such as text,label,probabilities,top; `where` is the input's place")
      ->delimiter(',');
  app.add_flag("--csv", s.csv, "Print a table as CSV; without --columns, with all there is to say");
  s.reading.add_to(app);
  s.threads.add_to(app);
}

}  // namespace

Command predict_command() {
  return {
      .path = "predict",
      .summary = "Ask a trained model: a line in, an answer out",
      .examples =
          "  echo 'a wonderful little film' | heed predict model\n"
          "  heed predict model reviews.txt --json\n"
          "  heed predict model reviews.csv --columns text,label,probabilities --csv > "
          "answers.csv\n"
          "  heed predict model reviews.txt --threshold 0.8 --unknown \"don't know\"\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
