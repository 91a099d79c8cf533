#include "heed/cli/run_report.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/base/progress.h"
#include "heed/cli/common.h"
#include "heed/doctor/model_checks.h"
#include "heed/io/atomic.h"
#include "heed/io/printable.h"
#include "heed/ops/threads.h"
#include "heed/training/processes/process_memory.h"
#include "heed/training/run/run_log.h"

namespace heed::cli {
namespace {

namespace fs = std::filesystem;

using Log = std::map<std::string, training::Series>;

constexpr size_t kRows = 200;  // evaluations that a table shows

// The losses in one panel, each of the other metrics of the validation in one of its own.
CurveChart metric_curves(const Log& log) {
  CurveChart chart{.title = "Training", .x_axis = "step", .panels = {{.y_axis = "loss"}}};
  for (const auto& [name, series] : log) {
    const std::string prefix = "validation.";
    const Curve curve{.name = name, .x = series.steps, .y = series.values};
    if (name == "loss" || name == "train_loss" || name == prefix + "loss") {
      chart.panels[0].curves.push_back(curve);
    } else if (name.starts_with(prefix) && !is_count(name.substr(prefix.size()))) {
      chart.panels.push_back({.y_axis = name.substr(prefix.size()), .curves = {curve}});
    }
  }
  return chart;
}

bool is_empty(const CurveChart& chart) {
  return std::all_of(chart.panels.begin(), chart.panels.end(),
                     [](const CurvePanel& panel) { return panel.curves.empty(); });
}

// What drives the run, and what it costs: a panel each.
CurveChart step_curves(const Log& log) {
  CurveChart chart{.title = "Learning rate, size of the gradients, speed", .x_axis = "step"};
  for (const char* name : {"learning_rate", "gradient_norm", "tokens_per_second"}) {
    const auto found = log.find(name);
    if (found == log.end()) continue;
    chart.panels.push_back(
        {.y_axis = name,
         .curves = {{.name = name, .x = found->second.steps, .y = found->second.values}}});
  }
  return chart;
}

doctor::Report examined(const Log& log) {
  std::map<std::string, doctor::LoggedSeries> series;
  for (const auto& [name, each] : log) series[name] = {.steps = each.steps, .values = each.values};
  doctor::Report report;
  doctor::check_training(series, report);
  return report;
}

std::vector<std::string> advice_of(const doctor::Report& report) {
  std::vector<std::string> lines;
  for (const doctor::Finding& each : report.findings) {
    lines.push_back(each.summary + " → " + each.advice);
  }
  return lines;
}

std::string value_text(double value) { return formatted("%.4g", value); }

// The last ones, that of the model that was kept marked.
ReportTable evaluation_table(const std::vector<training::Evaluation>& all) {
  ReportTable table{.columns = {"step", "epoch", "training loss"}};
  int64_t kept = 0;
  for (const training::Evaluation& each : all) kept = each.best ? each.step : kept;
  for (const auto& [name, value] : all.back().validation) {
    table.columns.push_back("validation " + name);
  }
  table.columns.emplace_back("seconds");
  for (size_t i = all.size() - std::min(all.size(), kRows); i < all.size(); ++i) {
    const training::Evaluation& each = all[i];
    std::vector<std::string> row = {
        std::to_string(each.step) + (each.step == kept ? " (kept)" : ""),
        std::to_string(each.epoch), value_text(each.train_loss)};
    for (const auto& [name, value] : each.validation) row.push_back(value_text(value));
    row.resize(table.columns.size() - 1);
    row.push_back(value_text(each.seconds));
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable setting_table(const Options& command) {
  ReportTable table{.columns = {"option", "value"}};
  for (const OptionInfo& option : command.all()) {
    if (option.positional || !option.setting) continue;
    table.rows.push_back({option.names.back(), joined(option.values, " ")});
  }
  return table;
}

// As a shell takes it.
std::string in_quotes(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./,:=+@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string command_line(const Options& command) {
  std::string line = command.name();
  for (const OptionInfo& option : command.all()) {
    if (!option.given || !option.setting) continue;
    line += ' ' + option.names.back();
    if (option.flag) continue;
    for (const std::string& value : option.values) line += ' ' + in_quotes(value);
  }
  return line;
}

std::string machine_text() {
  return text_of(training::cpu_name(), ", ", heed::threads(), " threads");
}

// Of the model, as people call it.
std::string name_of(const RunInfo& run) { return run.directory.stem().string(); }

std::string outcome_text(const training::RunReport& report) {
  return text_of(report.steps, " steps in ", duration_text(report.seconds), "; the model of step ",
                 report.best.step, " was kept: ", text_of_metrics(report.best.validation),
                 report.stopped_early ? "; the run ended early, for lack of a better one" : "");
}

Log log_of(const fs::path& directory) {
  return fs::exists(directory / "log.jsonl") ? training::read_log(directory) : Log{};
}

// The values of an option, or "".
std::string values_of(const Options& command, const std::string& name) {
  std::string values;
  for (const OptionInfo& option : command.all()) {
    if (option.setting_name() != name) continue;
    for (const std::string& value : option.values) {
      values += (values.empty() ? "`" : ", `") + printable(value) + '`';
    }
  }
  return values;
}

void write_card(const RunInfo& run, const training::RunReport& report,
                const doctor::Report& advice) {
  const training::Evaluation& best = report.best;
  const std::string valid = values_of(run.command, "valid");
  std::string card = text_of("# ", printable(name_of(run)), "\n\nA model of the task `", run.task,
                             "` with ", report.parameters, " parameters, trained by ", run.program,
                             ".\n\n## Data\n\n- trained on: ", values_of(run.command, "train"),
                             " (", run.examples, " examples)\n");
  card += "- validated on: " +
          (valid.empty() ? "a part of the training data that was held back" : valid) + '\n';
  card += text_of("\n## Numbers\n\nOn the validation data, of the model of step ", best.step,
                  " (epoch ", best.epoch,
                  "), which is the one that is here:\n\n| metric | value |\n", "|---|---|\n");
  for (const auto& [name, value] : best.validation) {
    card += text_of("| ", name, " | ", value_text(value), " |\n");
  }
  card +=
      "\n## Limits\n\n"
      "- The validation data chose this model: on data that it has never met it will do "
      "somewhat worse. `heed eval` measures that.\n"
      "- It knows nothing that its training data does not show: other topics, other languages, "
      "other times and other ways of writing may fail, and unfairness of the data is learned, "
      "too.\n";
  const std::string longest = values_of(run.command, "max-length");
  if (!longest.empty()) card += "- It reads at most " + longest + " tokens at a time.\n";
  for (const std::string& line : advice_of(advice)) card += "- In training: " + line + ".\n";
  card += text_of("\n## How it was made\n\n```sh\n", printable(command_line(run.command)),
                  "\n```\n\n", duration_text(report.seconds), " on ", machine_text(),
                  ". The curves are in `", printable(run.directory.filename().string()),
                  "/report.html`.\n\n## How to use it\n\n```sh\nheed inspect ",
                  in_quotes(name_of(run)), "\nheed doctor ", in_quotes(name_of(run)),
                  " DATA\nheed eval ", in_quotes(name_of(run)), " DATA\n```\n");
  AtomicFile file(run.model / "README.md");
  file.write(card);
  file.commit();
}

// The log of a run, and what it says.
struct Course {
  const Log& log;
  doctor::Report advice;
};

ReportPage page_of(const RunInfo& run, const LiveRun& state, const ReportSection& settings,
                   const Course& course) {
  const auto& [log, advice] = course;
  ReportPage page{.title = "Training of " + name_of(run), .summary = {state.text}};
  if (!advice.findings.empty()) {
    page.sections.push_back({.heading = "What the curves say", .items = advice_of(advice)});
  }
  if (const CurveChart curves = metric_curves(log); !is_empty(curves)) {
    page.sections.push_back(
        {.heading = "Loss and metrics",
         .paragraphs = {"The loss says how far the answers are from what they should be: it should "
                        "fall. Where that of the validation, on examples that the model does not "
                        "learn from, rises while that of training falls, it learns by heart."},
         .chart = curves});
  }
  if (state.examples != nullptr) {
    for (const ShownExample& each : *state.examples) {
      page.sections.push_back(each.section);
      page.sections.back().heading += state.examples_by;
    }
  }
  if (const CurveChart steps = step_curves(log); !is_empty(steps)) {
    page.sections.push_back(
        {.heading = "Learning rate, gradients, speed",
         .paragraphs = {"The norm of the gradients is the size of what each step would change, "
                        "before it is clipped: leaps of a hundred times say that training is about "
                        "to go wrong."},
         .chart = steps});
  }
  if (!log.empty()) {
    const auto evaluations = training::read_evaluations(run.directory);
    if (!evaluations.empty()) {
      page.sections.push_back({.heading = "Validations", .table = evaluation_table(evaluations)});
    }
  }
  page.sections.push_back(settings);
  return page;
}

// The files of the pages that examples link to: attention-1.html, ….
void write_example_pages(const std::vector<ShownExample>& examples, const fs::path& directory) {
  for (const ShownExample& example : examples) {
    if (!example.section.link) continue;
    AtomicFile file(directory / example.section.link->file);
    file.write(example.page);
    file.commit();
  }
}

}  // namespace

ReportSection settings_section(const RunInfo& run) {
  return {.heading = "How it was made",
          .paragraphs = {command_line(run.command), run.program + ", " + machine_text()},
          .table = setting_table(run.command)};
}

ReportPage run_page(const RunInfo& run, const LiveRun& state, const ReportSection& settings) {
  const Log log = log_of(run.directory);
  return page_of(run, state, settings, {.log = log, .advice = examined(log)});
}

void write_run_report(const RunInfo& run, const training::RunReport& report,
                      std::shared_ptr<const std::vector<ShownExample>> examples) {
  const Log log = log_of(run.directory);
  const Course course{.log = log, .advice = examined(log)};
  const CurveChart curves = metric_curves(log);
  if (!curves.panels[0].curves.empty()) {
    for (const char* name : {"curves.png", "curves.svg"}) {
      write_curves(curves, (run.directory / name).string());
    }
    write_example_pages(*examples, run.directory);
    write_report_page(page_of(run, {.text = outcome_text(report), .examples = examples},
                              settings_section(run), course),
                      run.directory / "report.html");
  }
  write_card(run, report, course.advice);
}

}  // namespace heed::cli
