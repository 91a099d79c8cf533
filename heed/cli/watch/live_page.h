// `heed train … --watch PORT`: the page of a run while it goes on.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "heed/cli/run_report.h"
#include "heed/cli/watch/page_server.h"

namespace heed::cli {

// What the page shows comes from the log of the run, as it stands on the disk, and from the best
// model that was saved: of the training itself it sees nothing and changes nothing.
class LivePage {
 public:
  // `run` and what it refers to outlive this. Throws as PageServer does.
  LivePage(int port, const RunInfo& run, HeldOut held_out);

  std::string address() const { return server_.address(); }

  // To be called by the thread that trains, after each of its steps and evaluations.
  void step(const training::StepReport& now);
  void evaluation(const training::Evaluation& now);

  // What the best model so far makes of the held-out examples; null: it was not looked at.
  std::shared_ptr<const std::vector<ShownExample>> examples() const;

 private:
  std::optional<std::string> page_of(const std::string& path) const;

  const RunInfo& run_;
  HeldOut held_out_;
  ReportSection settings_;
  mutable std::mutex mutex_;  // of what follows
  LiveRun state_;
  PageServer server_;  // the last member: it is gone before what it shows
};

}  // namespace heed::cli
