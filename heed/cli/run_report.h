// What a run leaves for people: its curves, a page in its directory, and a card beside the model.
// The page is the same while the run goes on (watch/live_page.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/cli/options/options.h"
#include "heed/cli/watch/shown_examples.h"
#include "heed/training/run/reports.h"
#include "heed/viz/report_page.h"

namespace heed::cli {

struct RunInfo {
  const Options& command;           // `heed train …` with what was given
  std::filesystem::path directory;  // of the run's files
  std::filesystem::path model;
  std::string task;
  int64_t examples = 0;  // of training
  std::string program;   // "heed 0.1.0"
};

// How it was made: the command, the machine, all settings.
ReportSection settings_section(const RunInfo& run);

// What changes while it goes on, beside the log in its directory.
struct LiveRun {
  std::string text;                                                // where it stands
  std::shared_ptr<const std::vector<ShownExample>> examples = {};  // null: none yet
  std::string examples_by = {};  // behind their headings: ", by the model of step 40"
};

// Throws as read_log does; there may be no log yet.
ReportPage run_page(const RunInfo& run, const LiveRun& state, const ReportSection& settings);

// curves.png, curves.svg, report.html and the pages of the examples in the directory of the run,
// README.md in that of the model. Throws as read_log does, IoError.
void write_run_report(const RunInfo& run, const training::RunReport& report,
                      std::shared_ptr<const std::vector<ShownExample>> examples);

}  // namespace heed::cli
