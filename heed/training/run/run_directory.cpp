#include "heed/training/run/run_directory.h"

#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "heed/base/error.h"

namespace heed::training {

namespace fs = std::filesystem;

RunDirectory::RunDirectory(const RunFiles& files, SystemCalls& calls)
    : path_(files.directory), calls_(calls), checkpoints_(files.directory / "checkpoints", calls) {
  make_directories(fs::absolute(path_) / "checkpoints", calls);
  lock();
  try {
    const auto steps = checkpoints_.steps();
    if (files.resume || steps.empty()) return;
    const bool has_ended = fs::exists(path_ / "summary.json");
    check_usage(has_ended, path_.string(), ": holds a run that stopped at step ", steps.back(),
                "; resume it, or remove this directory to begin again");
    clear();
  } catch (...) {
    calls_.close(lock_);
    throw;
  }
}

RunDirectory::~RunDirectory() { calls_.close(lock_); }

void RunDirectory::lock() {
  const fs::path file = path_ / "lock";
  lock_ = calls_.open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) throw_io_error(file, "opening", errno);
  // A file system without locks has none to offer.
  if (calls_.lock(lock_) == 0 || errno != EWOULDBLOCK) return;
  calls_.close(lock_);
  throw UsageError(text_of(path_.string(), ": another process is training there; wait for it, or ",
                           "choose another directory"));
}

// The summary goes last: without it, what is left would look like a run that has not ended.
void RunDirectory::clear() {
  remove_tree(path_ / "checkpoints", calls_);
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name == "log.jsonl" || name.starts_with("events.out.tfevents."))
      old.push_back(entry.path());
  }
  for (const fs::path& file : old) calls_.unlink(file.c_str());
  calls_.unlink((path_ / "summary.json").c_str());
  make_directories(fs::absolute(path_) / "checkpoints", calls_);
}

}  // namespace heed::training
