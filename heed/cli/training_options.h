// What every `heed train …` shares: the options of the trainer, and how a run is shown.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "heed/base/progress.h"
#include "heed/cli/interrupt.h"
#include "heed/training/trainer.h"

namespace heed::cli {

struct TrainingSettings {
  training::TrainingOptions options;

  void add_to(CLI::App& app);
};

// Shows a run on stderr: a progress bar on a terminal, a line an epoch anywhere. Ctrl-C is caught
// while it lives.
class TrainingView {
 public:
  training::Observer observer();

  // The end of the run: a line for people on stderr and, with `json`, one object on stdout.
  void print_summary(const training::RunReport& report, const std::string& directory, bool json);

 private:
  InterruptGuard guard_;
  std::unique_ptr<ProgressBar> bar_;
};

}  // namespace heed::cli
