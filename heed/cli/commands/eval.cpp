#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/validators.h"
#include "heed/cli/trained.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  EvaluationRequest request;
  const CLI::App* app = nullptr;
  ThreadOptions threads;
  bool json = false;
};

void print(const Evaluation& evaluation, bool json) {
  if (json) {
    OrderedJson all = json_of(evaluation.metrics);
    if (!evaluation.details.is_null()) all.update(evaluation.details);
    std::cout << all.dump() << '\n';
    return;
  }
  for (const auto& [name, value] : evaluation.metrics) std::cout << name << '\t' << value << '\n';
  if (!evaluation.report.empty()) std::cout << '\n' << evaluation.report;
}

void check_file_count(const std::vector<std::string>& files, const Trained& trained) {
  const size_t most = trained.most_files();
  if (files.size() <= most) return;
  std::string given;
  for (const std::string& file : files) given += " " + file;
  throw UsageError(text_of("a model of the task '", trained.task(), "' is measured on ",
                           most == 1 ? "one file" : text_of("at most ", most, " files"), ", got ",
                           files.size(), ":", given));
}

void run(Settings& settings) {
  settings.threads.apply();
  EvaluationRequest& request = settings.request;
  request.reading.parsed();
  const auto trained = load_trained(settings.directory);
  check_options(*settings.app, trained->evaluation_options(), *trained);
  check_file_count(request.files, *trained);
  print(trained->evaluate(request, progress_bar("evaluating")), settings.json);
}

void define(CLI::App& app, Settings& s) {
  s.app = &app;
  app.add_option("model", s.directory, "Directory of a trained model")->required();
  app.add_option("files", s.request.files,
                 "Examples of the task; - reads standard input. Several: the sources "
                 "and the references (translations), or each a set of its own "
                 "(questions)")
      ->required()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--beams", s.request.prediction.beams,
                 "Sequences that beam search keeps, where answers are written")
      ->check(CLI::Range(1, 1000));
  app.add_option("--length-penalty", s.request.prediction.length_penalty,
                 "Hypotheses are ranked by log-probability / length to this power");
  app.add_option("--threshold", s.request.prediction.threshold,
                 "From which probability on a label is given, in place of the thresholds of the "
                 "model; where a text may have several")
      ->check(share_or_nothing());
  app.add_flag("--lowercase", s.request.lowercase,
               "Compare written answers with the references in lower case");
  app.add_flag("--rouge", s.request.rouge, "Measure written answers by ROUGE too");
  s.request.reading.add_to(app);
  s.threads.add_to(app);
  app.add_flag("--json", s.json, "Print one JSON object whose keys are the metrics");
}

}  // namespace

Command eval_command() {
  return {
      .path = "eval",
      .summary = "Measure a trained model on data whose answers are known",
      .examples = "  heed eval model test.tsv\n  heed eval model test.jsonl.gz --json\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
