// What every `heed train …` shares: the options of the trainer, and how a run is shown.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/options.h"
#include "heed/cli/watch/held_out.h"
#include "heed/training/trainer.h"

namespace heed::cli {

// --train, --valid and --valid-share, for tasks with examples.
inline constexpr double kValidShare = 0.1;
struct ExampleFiles {
  std::vector<std::string>& train;
  std::vector<std::string>& valid;
  double& valid_share;
};
void add_example_files(Options& options, const ExampleFiles& files, const std::string& what);

struct TrainingSettings {
  // Validations without a better model after which a run ends by itself, where a task has no other
  // wish: the best model is kept anyway, and what follows it is time.
  static constexpr int64_t kPatience = 10;
  // Of --metric-for-best-model: empty in resolved().
  static constexpr const char* kUsualMetric = "auto";

  explicit TrainingSettings(training::TrainingOptions defaults = {})
      : options(std::move(defaults)) {
    if (options.patience == 0) options.patience = kPatience;
    options.metric_for_best_model = kUsualMetric;
  }

  training::TrainingOptions options;
  std::string out;
  ThreadOptions threads;
  bool json = false;
  std::string watch = {};  // a port, or empty

  // --out, and the groups "Training", "Run files" and "Running". Remembers `command`, whose options
  // are the settings of a run that --resume compares. `watchable`: what --metric-for-best-model
  // may name.
  void add_to(Options& command, const std::vector<tasks::Watched>& watchable);

  // The options of the run.
  training::TrainingOptions resolved() const;

  // Call it first of all: takes the threads, refuses an `out` that the model may not replace and a
  // port that is taken, and seeds, so that the same seed gives the same model.
  void prepare() const;

  // Trains and shows it; leaves the model in `out` and the files of the run in `out`.run, the
  // curves among them, and what the model makes of the held-out examples. With `json`, the summary
  // goes to stdout as one object.
  void train(tasks::Task& task, const HeldOut& held_out = {}) const;

 private:
  training::TrainingOptions run_options() const;

  const Options* command_ = nullptr;
};

}  // namespace heed::cli
