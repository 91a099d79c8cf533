#include "heed/cli/options/training_settings.h"

#include <ATen/Context.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/base/progress.h"
#include "heed/cli/common.h"
#include "heed/cli/interrupt.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/run_report.h"
#include "heed/cli/watch/live_page.h"
#include "heed/io/utf8.h"
#include "heed/models/files/model_directory.h"
#include "heed/training/processes/process_group.h"
#include "heed/training/processes/process_memory.h"
#include "heed/training/run/run_directory.h"
#include "heed/training/run/run_log.h"
#include "heed/version.h"

namespace heed::cli {
namespace {

constexpr const char* kTraining = "Training";
constexpr const char* kRun = "Run files";

// Options of the model and its data, as they were given or by default: a run that is resumed must
// have the same. Those of the trainer look after themselves; files may have moved.
training::Settings other_settings(const Options& options) {
  static const std::set<std::string> kFree = {"--train", "--valid", "--out",          "--threads",
                                              "--json",  "--help",  "--print-config", "--config"};
  training::Settings settings;
  for (const OptionInfo& option : options.all()) {
    const std::string& name = option.names.back();
    if (option.group == kTraining || option.group == kRun || kFree.count(name) > 0) continue;
    settings.emplace_back(name, joined(option.values, " "));
  }
  return settings;
}

// The same seed gives the same model.
void make_reproducible(uint64_t seed) {
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // torch would write NaN into all fresh memory: 8% of the time of a small model's step.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  at::manual_seed(seed);
}

// Shows a run on stderr: a progress bar on a terminal, a line an evaluation anywhere. Ctrl-C is
// caught while it lives.
class TrainingView {
 public:
  // `live`: may be null.
  training::Observer observer(LivePage* live);

  // The end of the run: a line for people on stderr and, with `json`, one object on stdout.
  void print_summary(const training::RunReport& report, const std::string& directory, bool json);

 private:
  InterruptGuard guard_;
  std::unique_ptr<ProgressBar> bar_;
  std::string metric_;  // of the last evaluation
};

training::Observer TrainingView::observer(LivePage* live) {
  training::Observer observer;
  observer.step = [this, live](const training::StepReport& now) {
    if (live != nullptr) live->step(now);
    if (bar_ == nullptr) bar_ = std::make_unique<ProgressBar>("training", now.total_steps);
    bar_->update(now.step, formatted("epoch %lld  loss %.4f", static_cast<long long>(now.epoch),
                                     now.mean_loss) +
                               metric_ + formatted("  %.0f tokens/s  ", now.tokens_per_second) +
                               bytes_text(static_cast<double>(training::resident_bytes())));
  };
  observer.evaluation = [this, live](const training::Evaluation& now) {
    if (bar_ != nullptr) bar_->clear();
    for (const auto& [name, value] : now.validation) {
      if (name == "loss") continue;
      metric_ = "  " + name + formatted(" %.4f", value);
      break;
    }
    std::cerr << formatted("epoch %lld  step %lld  train loss %.4f  validation ",
                           static_cast<long long>(now.epoch), static_cast<long long>(now.step),
                           now.train_loss)
              << text_of_metrics(now.validation) << "  " << duration_text(now.seconds)
              << (now.best ? "  best so far, saved" : "") << '\n';
    if (live != nullptr) live->evaluation(now);
  };
  observer.stop = [] { return InterruptGuard::interrupted(); };
  return observer;
}

void TrainingView::print_summary(const training::RunReport& report, const std::string& directory,
                                 bool json) {
  bar_.reset();
  std::cerr << "heed: best model of epoch " << report.best.epoch << " in " << directory << ": "
            << text_of_metrics(report.best.validation) << "; " << report.parameters
            << " parameters, " << duration_text(report.seconds) << ", at most "
            << bytes_text(static_cast<double>(report.peak_bytes)) << " of memory\n";
  if (!json) return;
  nlohmann::ordered_json summary = json_of(report.best.validation);
  summary["epoch"] = report.best.epoch;
  summary["steps"] = report.steps;
  summary["seconds"] = report.seconds;
  summary["parameters"] = report.parameters;
  summary["peak_memory_bytes"] = report.peak_bytes;
  std::cout << summary.dump() << '\n';
}

// What is wrong with a port, or "".
std::string wrong_port(const std::string& text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port =
      error == std::errc() && end == text.data() + text.size() && port >= 0 && port <= 65535;
  return is_port || text.empty() ? "" : "expected a port from 0 to 65535, got " + excerpt(text);
}

}  // namespace

void add_example_files(Options& options, const ExampleFiles& files, const std::string& what) {
  options.add("--train", files.train, what + " to learn from, plain or gzip; several files add up")
      .required()
      .repeats();
  options.add("--valid", files.valid, what + " to validate on").repeats();
  options
      .add("--valid-share", files.valid_share,
           "Without --valid: this share of those to learn from, drawn by --seed, the same of "
           "each class")
      .range(0.001, 0.999);
}

void TrainingSettings::add_to(Options& command, const std::vector<tasks::Watched>& watchable) {
  std::vector<std::string> metrics;
  for (const tasks::Watched& each : watchable) metrics.push_back(each.name);
  command_ = &command;
  command.add("--out", out, "Directory that the best model is saved in").required();
  options.optimizer.weight_decay = training::weight_decay_of(options.optimizer);
  visit_fields(options,
               FieldOptions(command, {.choices = {{"metric_for_best_model", std::move(metrics)}}}));
  command
      .flag("--resume", options.files.resume, "Go on from the last checkpoint; without one, begin")
      .group(kRun);
  command
      .flag("--overwrite", options.files.overwrite,
            "Begin anew where there is a model or a run already, which are replaced")
      .group(kRun);
  command
      .add("--watch", watch,
           "Show the run in a browser on this machine while it goes on, at "
           "http://127.0.0.1:PORT/; 0: any port that is free")
      .check(wrong_port, "PORT")
      .group(kRun);
  threads.add_to(command);
  command.flag("--json", json, "Print the summary as one JSON object").group("Running");
}

training::TrainingOptions TrainingSettings::resolved() const {
  training::TrainingOptions run = options;
  if (run.metric_for_best_model == kUsualMetric) run.metric_for_best_model.clear();
  // A default of updates must not hide the epochs that somebody asked for.
  if (command_->is_given("epochs") && !command_->is_given("max-steps")) run.max_steps = 0;
  // The weight decay of a command is meant for its own optimizer: another one has its own.
  const std::vector<std::string> given = command_->given();
  const bool another = std::find(given.begin(), given.end(), "optimizer") != given.end();
  if (another && !command_->is_given("weight-decay")) run.optimizer.weight_decay.reset();
  return run;
}

void TrainingSettings::prepare() const {
  const auto rank = training::rank_from_environment();
  threads.apply(rank ? rank->local_size : 1);
  const training::TrainingOptions run = run_options();
  training::check(run);
  models::check_replaceable_model(out);
  training::check_may_begin(run.files, out);
  if (!watch.empty() && (!rank || rank->rank == 0)) check_port(std::stoi(watch));
  make_reproducible(options.seed);
}

training::TrainingOptions TrainingSettings::run_options() const {
  training::TrainingOptions run = resolved();
  run.files.directory = training::run_directory_of(out);
  check_usage(!run.files.directory.empty(), "--out ", out,
              ": expected the name of a directory that may be replaced");
  run.files.program = std::string("heed ") + version();
  run.files.settings = other_settings(*command_);
  return run;
}

void TrainingSettings::train(tasks::Task& task, const HeldOut& held_out) const {
  training::TrainingOptions run = run_options();
  const auto rank = training::rank_from_environment();
  std::optional<training::ProcessGroup> group;
  if (rank) run.group = &group.emplace(*rank);
  const bool shows = !rank || rank->rank == 0;
  const RunInfo info{.command = *command_,
                     .directory = run.files.directory,
                     .model = out,
                     .task = task.name(),
                     .examples = std::ssize(task.train_lengths()),
                     .program = run.files.program};
  std::optional<LivePage> live;
  if (shows && !watch.empty()) {
    live.emplace(std::stoi(watch), info, held_out);
    std::cerr << "heed: watch the run at " << live->address() << '\n';
  }
  TrainingView view;
  training::Observer observer = view.observer(live ? &*live : nullptr);
  if (!shows) observer = {.stop = observer.stop};
  try {
    const training::RunReport report = training::train(task, run, out, observer);
    if (!shows) return;
    auto examples = live ? live->examples() : nullptr;
    if (examples == nullptr) {
      examples = std::make_shared<const std::vector<ShownExample>>(
          shown_examples(out, *command_, held_out));
    }
    write_run_report(info, report, std::move(examples));
    view.print_summary(report, out, json);
  } catch (const Interrupted& stopped) {
    throw Interrupted(text_of(stopped.what(), "\nGo on with the same command and --resume"));
  }
}

}  // namespace heed::cli
