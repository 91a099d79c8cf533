#include <algorithm>
#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/validators.h"
#include "heed/cli/table_writer.h"
#include "heed/cli/trained.h"
#include "heed/io/atomic.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  EvaluationRequest request;
  const CLI::App* app = nullptr;
  ThreadOptions threads;
  std::string errors;
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

// What was wrong, the most confident first: JSON lines, CSV or TSV by the name of the file.
void write_errors(const std::string& file, std::vector<Evaluation::Wrong> wrong) {
  std::stable_sort(wrong.begin(), wrong.end(),
                   [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
  AtomicFile out(file);
  const bool csv = file.ends_with(".csv");
  TableWriter table({}, csv ? TableWriter::Form::kCsv : TableWriter::Form::kTsv,
                    [&](const std::string& line) { out.write(line); });
  for (const Evaluation::Wrong& each : wrong) {
    if (file.ends_with(".jsonl")) {
      out.write(each.row.dump() + "\n");
    } else {
      table.add(each.row);
    }
  }
  out.commit();
}

void run(Settings& settings) {
  settings.threads.apply();
  EvaluationRequest& request = settings.request;
  request.reading.parsed();
  const auto trained = load_trained(settings.directory);
  check_options(*settings.app, trained->evaluation_options(), *trained);
  request.wrong = !settings.errors.empty();
  const Evaluation evaluation = trained->evaluate(request, progress_bar("evaluating"));
  warn(trained->warnings());
  if (request.wrong) write_errors(settings.errors, evaluation.wrong);
  print(evaluation, settings.json);
  flush_output();
}

void define(CLI::App& app, Settings& s) {
  s.app = &app;
  app.add_option("model", s.directory, "Directory of a trained model")->required();
  app.add_option("files", s.request.files,
                 "Examples of the task; - reads standard input. Several are measured together; "
                 "of plain translations, sources and references by turns")
      ->required()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--num-beams", s.request.prediction.num_beams,
                 "Sequences that beam search keeps, where answers are written")
      ->check(CLI::Range(1, 1000));
  app.add_option("--length-penalty", s.request.prediction.length_penalty,
                 "Hypotheses are ranked by log-probability / length to this power");
  app.add_option("--threshold", s.request.prediction.threshold,
                 "From which probability on a label is given, in place of the thresholds of the "
                 "model; where a text may have several")
      ->check(share_or_nothing());
  app.add_option("--errors", s.errors,
                 "File to list what was answered wrongly in, the most confident first: TSV, or "
                 "CSV or JSON lines where it is named .csv or .jsonl");
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
      .examples =
          "  heed eval model test.tsv\n  heed eval model test.jsonl.gz --json\n"
          "  heed eval model test.tsv --errors wrong.tsv\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
