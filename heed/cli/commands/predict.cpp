#include <unistd.h>

#include <exception>
#include <iostream>

#include "heed/base/error.h"
#include "heed/base/progress.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/task_kind.h"

namespace heed::cli {

TaskKind gap_filling();

namespace {

struct PredictSettings {
  AnyTask task;
  std::vector<std::string> files;
  ThreadOptions threads;
  AnswerForm form;
};

// Answers about each file. One that cannot be read never loses the others: its error is said, that
// of the last such file returned, for the end.
std::exception_ptr answer_files(const TaskAdapter& model, const std::vector<std::string>& files,
                                AnswerWriter& answers) {
  std::exception_ptr last;
  std::string said;
  const auto keep = [&](const Error& error) {
    if (last) std::cerr << "heed: " << said << '\n';
    last = std::current_exception();
    said = error.what();
  };
  for (const std::string& file : files) {
    try {
      model.predict(file, answers);
    } catch (const DataError& error) {
      keep(error);
    } catch (const MissingInputError& error) {
      keep(error);
    }
  }
  return last;
}

void run_predict(const PredictSettings& settings) {
  settings.threads.apply();
  AnswerForm form = settings.form;
  check_usage(!form.json || !form.is_table(), "--json: has no meaning beside --columns and --csv");
  form.color = colors_wanted(STDOUT_FILENO);
  const auto model = settings.task.load();
  AnswerWriter answers(form, std::cout, std::cerr);
  const std::vector<std::string> standard_input = {"-"};
  const std::exception_ptr unread =
      answer_files(*model, settings.files.empty() ? standard_input : settings.files, answers);
  flush_output();
  try {
    answers.finish();
  } catch (const DataError& error) {
    if (!unread) throw;
    std::cerr << "heed: " << error.what() << '\n';
  }
  if (unread) std::rethrow_exception(unread);
}

// What the commands that answer have in common. `kinds`: of models.
void add_answering(Options& options, PredictSettings& s, const std::string& files,
                   const std::vector<TaskKind>& kinds) {
  s.task.add_model(options);
  options.add("files", s.files, files).repeats();
  options.flag("--json", s.form.json, "Print a JSON object a line, with all there is to say");
  options
      .add("--columns", s.form.columns,
           "Print a table with these members of the JSON as columns, commas between them, "
           "such as text,label,probabilities,top; `where` is the input's place")
      .separated_by(',');
  options.flag("--csv", s.form.csv,
               "Print a table as CSV; without --columns, with all there is to say");
  s.task.add_options(options, Use::kPredict, kinds);
  s.threads.add_to(options);
}

void define_predict(Options& options, PredictSettings& s) {
  add_answering(options, s,
                "A text or a question on each line, or files as `heed eval` reads them, whose "
                "answers need not be there; - or none reads standard input",
                task_kinds());
}

void define_fill(Options& options, PredictSettings& s) {
  static const std::vector<TaskKind> kinds = {gap_filling()};
  add_answering(options, s,
                "A text with gaps, such as [MASK], on each line; - or none reads standard input",
                kinds);
}

}  // namespace

Command fill_command() {
  return {
      .path = "fill",
      .summary = "Fill the gaps of texts by a masked language model",
      .examples =
          "  heed fill bert-base-uncased --top 3 --json < gaps.txt\n"
          "  echo 'Paris is the [MASK] of France.' | heed fill roberta-base\n",
      .define = with_settings(define_fill, run_predict),
  };
}

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
      .define = with_settings(define_predict, run_predict),
  };
}

}  // namespace heed::cli
