#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/writing/table_writer.h"
#include "heed/io/atomic.h"

namespace heed::cli {
namespace {

struct EvalSettings {
  AnyTask task;
  std::vector<std::string> files;
  ThreadOptions threads;
  bool json = false;
};

void print(const TaskEvaluation& evaluation, bool json) {
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
void write_errors(const std::string& file, std::vector<TaskEvaluation::Wrong> wrong) {
  std::stable_sort(wrong.begin(), wrong.end(),
                   [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
  AtomicFile out(file);
  const bool csv = file.ends_with(".csv");
  TableWriter table({}, csv ? TableWriter::Form::kCsv : TableWriter::Form::kTsv,
                    [&](const std::string& line) { out.write(line); });
  for (const TaskEvaluation::Wrong& each : wrong) {
    if (file.ends_with(".jsonl")) {
      out.write(each.row.dump() + "\n");
    } else {
      table.add(each.row);
    }
  }
  out.commit();
}

void run_eval(const EvalSettings& settings) {
  settings.threads.apply();
  const auto model = settings.task.load();
  const TaskEvaluation evaluation = model->evaluate(settings.files, progress_bar("evaluating"));
  warn(evaluation.warnings);
  const auto* errors = settings.task.find<ErrorsOption>();
  if (errors != nullptr && errors->wanted()) write_errors(errors->file, evaluation.wrong);
  print(evaluation, settings.json);
  flush_output();
}

void define_eval(Options& options, EvalSettings& s) {
  s.task.add_model(options);
  options
      .add("files", s.files,
           "Examples of the task; - reads standard input. Several are measured together; "
           "of plain translations, sources and references alternating")
      .required()
      .repeats();
  s.task.add_options(options, Use::kEval);
  s.threads.add_to(options);
  options.flag("--json", s.json, "Print one JSON object whose keys are the metrics");
}

}  // namespace

Command eval_command() {
  return {
      .path = "eval",
      .summary = "Measure a trained model on data whose answers are known",
      .examples =
          "  heed eval model test.tsv\n  heed eval model test.jsonl.gz --json\n"
          "  heed eval model test.tsv --errors wrong.tsv\n",
      .define = with_settings(define_eval, run_eval),
  };
}

}  // namespace heed::cli
