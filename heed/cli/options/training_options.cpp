#include "heed/cli/options/training_options.h"

#include <ATen/Context.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <set>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/progress.h"
#include "heed/cli/common.h"
#include "heed/cli/interrupt.h"
#include "heed/cli/joined.h"
#include "heed/models/files/model_directory.h"
#include "heed/training/processes/process_group.h"
#include "heed/training/processes/process_memory.h"
#include "heed/training/run/run_directory.h"
#include "heed/training/run/run_log.h"
#include "heed/version.h"
#include "heed/viz/curves.h"

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

// The losses in one panel, each of the other metrics of the validation in one of its own.
void draw_curves(const std::filesystem::path& run) {
  CurveChart chart{.title = "Training", .x_axis = "step", .panels = {{.y_axis = "loss"}}};
  for (const auto& [name, series] : training::read_log(run)) {
    const std::string prefix = "validation.";
    const Curve curve{.name = name, .x = series.steps, .y = series.values};
    if (name == "loss" || name == "train_loss" || name == prefix + "loss") {
      chart.panels[0].curves.push_back(curve);
    } else if (name.starts_with(prefix) && !is_count(name.substr(prefix.size()))) {
      chart.panels.push_back({.y_axis = name.substr(prefix.size()), .curves = {curve}});
    }
  }
  if (chart.panels[0].curves.empty()) return;
  for (const char* name : {"curves.png", "curves.svg"}) write_curves(chart, (run / name).string());
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
  training::Observer observer();

  // The end of the run: a line for people on stderr and, with `json`, one object on stdout.
  void print_summary(const training::RunReport& report, const std::string& directory, bool json);

 private:
  InterruptGuard guard_;
  std::unique_ptr<ProgressBar> bar_;
  std::string metric_;  // of the last evaluation
};

training::Observer TrainingView::observer() {
  training::Observer observer;
  observer.step = [this](const training::StepReport& now) {
    if (bar_ == nullptr) bar_ = std::make_unique<ProgressBar>("training", now.total_steps);
    bar_->update(now.step, formatted("epoch %lld  loss %.4f", static_cast<long long>(now.epoch),
                                     now.mean_loss) +
                               metric_ + formatted("  %.0f tokens/s  ", now.tokens_per_second) +
                               bytes_text(static_cast<double>(training::resident_bytes())));
  };
  observer.evaluation = [this](const training::Evaluation& now) {
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

void TrainingSettings::add_to(Options& command, std::vector<std::string> metrics) {
  command_ = &command;
  const std::string group = kTraining;
  training::TrainingOptions& o = options;
  command.add("--out", out, "Directory that the best model is saved in").required();
  command.add("--epochs", o.epochs, "Passes over the training examples").at_least(1).group(group);
  command.add("--max-steps", o.max_steps, "Updates of the whole run, instead of epochs; 0: off")
      .at_least(0)
      .group(group);
  command.add("--eval-steps", o.eval_steps, "Updates between validations; 0: after each epoch")
      .at_least(0)
      .group(group);
  command.add("--batch-size", o.batch_size, "Examples in a batch").at_least(1).group(group);
  command
      .add("--batch-tokens", o.batch_tokens,
           "Tokens in a batch with its padding, instead of examples; 0: off")
      .at_least(0)
      .group(group);
  command
      .add("--gradient-accumulation-steps", o.gradient_accumulation_steps,
           "Batches summed before each update")
      .at_least(1)
      .group(group);
  command
      .add("--tensor-parallel", o.tensor_parallel,
           "Of several processes, how many hold one model together")
      .at_least(1)
      .group(group);
  command.add("--num-workers", o.num_workers, "Threads that prepare batches ahead; 0: none")
      .range(0, 8)
      .group(group);
  command.add("--lr", o.lr, "Learning rate at its peak").above(0).group(group);
  command.add("--lr-scheduler", o.lr_scheduler, "How the learning rate falls after the warm-up")
      .one_of({"constant", "linear", "cosine", "inverse_sqrt"})
      .group(group);
  command.add("--warmup-ratio", o.warmup_ratio, "Share of the run in which the learning rate rises")
      .range(0.0, 1.0)
      .group(group);
  command.add("--warmup-steps", o.warmup_steps, "The same in updates; 0: the share counts")
      .at_least(0)
      .group(group);
  command.add("--optimizer", o.optimizer.name, "Update rule")
      .one_of({"adam", "adamw", "sgd"})
      .group(group);
  weight_decay_ = training::weight_decay_of(o.optimizer);
  command
      .add("--weight-decay", weight_decay_,
           "Pull of all weights towards zero; the default is that of adamw, the others have none "
           "unless it is given")
      .at_least(0)
      .group(group);
  command.add("--l1", o.optimizer.l1, "Penalty: this times the sum of absolute weights")
      .at_least(0)
      .group(group);
  command.add("--l2", o.optimizer.l2, "Penalty: this times the sum of squared weights")
      .at_least(0)
      .group(group);
  command.add("--beta1", o.optimizer.beta1, "Adam: memory of the mean gradient")
      .share_below_1()
      .group(group);
  command.add("--beta2", o.optimizer.beta2, "Adam: memory of the mean square")
      .share_below_1()
      .group(group);
  command.add("--epsilon", o.optimizer.epsilon, "Adam: added to the root").at_least(0).group(group);
  command.add("--momentum", o.optimizer.momentum, "SGD: memory of the gradient")
      .share_below_1()
      .group(group);
  command.add("--max-grad-norm", o.max_grad_norm, "Largest norm of the gradients; 0: no limit")
      .at_least(0)
      .group(group);
  command
      .add("--ema-decay", o.ema_decay,
           "Decay of a running average of the weights, which is what is saved; 0: none")
      .share_below_1()
      .group(group);
  command
      .add("--patience", o.patience,
           "Validations without a better model before stopping; 0: never stop early")
      .at_least(0)
      .group(group);
  metrics.insert(metrics.begin(), "auto");
  command
      .add("--metric-for-best-model", metric_for_best_model,
           "Metric of the validation that decides which model is best; auto: what the task "
           "is usually judged by")
      .one_of(metrics)
      .group(group);
  command.add("--seed", o.seed, "Seed of everything random").group(group);
  command
      .add("--device", o.device,
           "cpu, cuda or cuda:NUMBER; the code for CUDA was never run on a GPU")
      .group(group);
  command
      .add("--dtype", o.dtype,
           "Of products in training; weights stay float32. float16 is for CUDA: never run")
      .one_of({"float32", "bfloat16", "float16"})
      .group(group);
  command.flag("--resume", o.files.resume, "Go on from the last checkpoint; without one, begin")
      .group(kRun);
  command
      .flag("--overwrite", o.files.overwrite,
            "Begin anew where there is a model or a run already, which are replaced")
      .group(kRun);
  command
      .add("--save-steps", o.files.save_steps,
           "Updates between checkpoints; 0: with each validation")
      .at_least(0)
      .group(kRun);
  command
      .add("--save-total-limit", o.files.save_total_limit,
           "Checkpoints to keep while the run goes on, besides that of the best model; one "
           "stays when "
           "it has ended")
      .at_least(1)
      .group(kRun);
  command.add("--logging-steps", o.files.logging_steps, "Updates for each line of the log")
      .at_least(1)
      .group(kRun);
  threads.add_to(command);
  command.flag("--json", json, "Print the summary as one JSON object").group("Running");
}

training::TrainingOptions TrainingSettings::resolved() const {
  training::TrainingOptions run = options;
  if (metric_for_best_model != "auto") run.metric_for_best_model = metric_for_best_model;
  // A default of updates must not hide the epochs that somebody asked for.
  if (command_->is_given("epochs") && !command_->is_given("max-steps")) run.max_steps = 0;
  run.optimizer.weight_decay.reset();
  if (run.optimizer.name == "adamw" || command_->is_given("weight-decay")) {
    run.optimizer.weight_decay = weight_decay_;
  }
  return run;
}

void TrainingSettings::prepare() const {
  const auto rank = training::rank_from_environment();
  threads.apply(rank ? rank->local_size : 1);
  const training::TrainingOptions run = run_options();
  training::check(run);
  models::check_replaceable_model(out);
  training::check_may_begin(run.files, out);
  make_reproducible(options.seed);
}

// The files of the run stand beside the model, whatever way its name is written.
training::TrainingOptions TrainingSettings::run_options() const {
  training::TrainingOptions run = resolved();
  std::filesystem::path directory = std::filesystem::path(out).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  const std::filesystem::path name = directory.filename();
  check_usage(!name.empty() && name != "." && name != ".." && name != "/", "--out ", out,
              ": expected the name of a directory that may be replaced");
  run.files.directory = directory.string() + ".run";
  run.files.program = std::string("heed ") + version();
  run.files.settings = other_settings(*command_);
  return run;
}

void TrainingSettings::train(tasks::Task& task) const {
  training::TrainingOptions run = run_options();
  const auto rank = training::rank_from_environment();
  std::optional<training::ProcessGroup> group;
  if (rank) run.group = &group.emplace(*rank);
  const bool shows = !rank || rank->rank == 0;
  TrainingView view;
  training::Observer observer = view.observer();
  if (!shows) observer = {.stop = observer.stop};
  try {
    const training::RunReport report = training::train(task, run, out, observer);
    if (!shows) return;
    draw_curves(run.files.directory);
    view.print_summary(report, out, json);
  } catch (const Interrupted& stopped) {
    throw Interrupted(text_of(stopped.what(), "\nGo on with the same command and --resume"));
  }
}

}  // namespace heed::cli
