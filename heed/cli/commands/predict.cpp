#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "heed/base/error.h"
#include "heed/base/progress.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/line_queue.h"
#include "heed/cli/options/validators.h"
#include "heed/cli/trained.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  std::string file = "-";
  ReadingOptions reading;
  ThreadOptions threads;
  PredictionOptions prediction;
  bool json = false;
  bool special_tokens = false;
  const CLI::App* app = nullptr;
};

void answer(const Settings& settings, Trained& trained, const std::vector<std::string>& inputs) {
  for (const Answer& answer : trained.predict(inputs, settings.prediction)) {
    std::cout << (settings.json ? answer.json.dump() : answer.line) << '\n';
  }
  std::cout.flush();
  if (!std::cout) throw IoError("standard output: could not be written to the end");
}

// Each line is answered as soon as it is there.
void answer_lines(const Settings& settings, Trained& trained) {
  LineQueue queue(settings.file, settings.reading.parsed().encoding);
  for (auto inputs = queue.take(); !inputs.empty(); inputs = queue.take()) {
    answer(settings, trained, inputs);
  }
}

void run(Settings& settings) {
  settings.threads.apply();
  settings.reading.parsed();  // options that cannot be used, before the model is loaded
  settings.prediction.color = colors_wanted(STDOUT_FILENO);
  const auto trained = load_trained(settings.directory);
  std::vector<std::string> options = trained->prediction_options();
  if (!trained->tokenizers().empty()) options.emplace_back("special-tokens");
  check_options(*settings.app, options, *trained);
  if (settings.special_tokens) trained->read_special_tokens();
  if (const auto inputs = trained->read_inputs(settings.file, settings.reading)) {
    answer(settings, *trained, *inputs);
  } else {
    answer_lines(settings, *trained);
  }
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
  app.add_option("--top", p.top, "Answers that JSON lists, the likeliest first")
      ->check(CLI::Range(1, 1000))
      ->group("Classes");
  app.add_option("--beams", p.beams, "Sequences that beam search keeps; 1: greedy")
      ->check(CLI::Range(1, 1000))
      ->group("Written answers");
  app.add_option("--length-penalty", p.length_penalty,
                 "Hypotheses are ranked by log-probability / length to this power")
      ->group("Written answers");
  app.add_option("--max-tokens", p.most_tokens, "Tokens of an answer, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Written answers");
}

void define(CLI::App& app, Settings& s) {
  s.app = &app;
  app.add_option("model", s.directory, "Directory of a trained model")->required();
  app.add_option("file", s.file,
                 "A text or a question on each line, or a file as `heed eval` reads it, whose "
                 "answers need not be there; - reads standard input");
  add_prediction_options(app, s);
  app.add_flag("--json", s.json, "Print a JSON object a line, with all there is to say");
  add_special_tokens(app, s.special_tokens);
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
          "  heed predict model reviews.txt --threshold 0.8 --unknown \"don't know\"\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
