// What every `heed train …` shares: the options of the trainer, and how a run is shown.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "heed/base/progress.h"
#include "heed/cli/interrupt.h"
#include "heed/training/trainer.h"

namespace heed::cli {

struct TrainingSettings {
  training::TrainingOptions options;

  // Remembers `app`: call it where its other options are already there, or are added before run().
  void add_to(CLI::App& app);

  // Trains and shows it; leaves the model in `out` and the files of the run in `out`.run, the
  // curves among them. With `json`, the summary goes to stdout as one object.
  void train(tasks::Task& task, const std::string& out, bool json) const;

 private:
  CLI::App* app_ = nullptr;
};

// Processes of this run on this machine, this one included: they share its cores (ThreadOptions).
int training_processes_here();

// The same seed gives the same model: call it before the model is made.
void make_reproducible(uint64_t seed);

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

}  // namespace heed::cli
