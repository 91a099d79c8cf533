// What a finished run leaves for people: its curves, a page in its directory, and a card beside the
// model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "heed/cli/options/options.h"
#include "heed/training/run/reports.h"

namespace heed::cli {

struct FinishedRun {
  const training::RunReport& report;
  const Options& command;           // `heed train …` with what was given
  std::filesystem::path directory;  // of the run's files
  std::filesystem::path model;
  std::string task;
  int64_t examples = 0;  // of training
  std::string program;   // "heed 0.1.0"
};

// curves.png, curves.svg and report.html in the directory of the run, README.md in that of the
// model. Throws as read_log does, IoError.
void write_run_report(const FinishedRun& run);

}  // namespace heed::cli
