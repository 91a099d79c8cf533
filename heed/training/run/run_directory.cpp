#include "heed/training/run/run_directory.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/training/run/run_log.h"

namespace heed::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kSummary = "summary.json";  // of a run that has ended

}  // namespace

bool has_model(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_directory(directory, ignored) && !fs::is_empty(directory, ignored);
}

fs::path run_directory_of(const fs::path& model) {
  fs::path directory = model.lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  const fs::path name = directory.filename();
  if (name.empty() || name == "." || name == ".." || name == "/") return {};
  return directory.string() + ".run";
}

void check_may_begin(const RunFiles& files, const fs::path& model) {
  if (files.overwrite) return;
  const fs::path& run = files.directory;
  const auto steps = CheckpointFolder(run / kCheckpoints).steps();
  const bool has_ended = fs::exists(run / kSummary);
  if (files.resume && !steps.empty()) return;
  check_usage(steps.empty() || has_ended, run.string(), ": holds a run that stopped at step ",
              steps.empty() ? 0 : steps.back(),
              "; resume it with --resume, or begin anew with --overwrite");
  // A run that was killed before its first checkpoint may have saved a model already.
  if (files.resume && fs::exists(run / kLogFile) && !has_ended) return;
  const bool is_there = has_model(model);
  check_usage(!is_there && !has_ended, (is_there ? model : run).string(),
              is_there ? ": holds a trained model" : ": holds a run that has ended",
              files.resume ? " and no checkpoint to go on from" : "",
              "; choose another --out, or replace it with --overwrite",
              steps.empty() ? "" : ", or train it longer with --resume");
}

RunDirectory::RunDirectory(const RunFiles& files, const fs::path& model, SystemCalls& calls)
    : path_(files.directory), calls_(calls), checkpoints_(files.directory / kCheckpoints, calls) {
  make_directories(fs::absolute(path_) / kCheckpoints, calls);
  lock();
  try {
    check_may_begin(files, model);
    if (files.overwrite) clear();
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

std::optional<Safetensors> RunDirectory::if_model_is_gone(const fs::path& model, int64_t best) {
  recover(model, calls_);
  if (has_model(model)) return std::nullopt;
  const auto steps = checkpoints_.steps();
  check_usage(std::find(steps.begin(), steps.end(), best) != steps.end(), model.string(),
              ": the best model, of step ", best,
              ", is gone, and so is its checkpoint; begin anew ", "with --overwrite");
  return checkpoints_.load(best).tensors;
}

void RunDirectory::go_on() { calls_.unlink((path_ / kSummary).c_str()); }

// The log goes last: with it, what is left looks like a run that has begun and not ended.
void RunDirectory::clear() {
  calls_.unlink((path_ / kSummary).c_str());
  remove_tree(path_ / kCheckpoints, calls_);
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("events.out.tfevents.")) old.push_back(entry.path());
  }
  old.push_back(path_ / kLogFile);
  for (const fs::path& file : old) calls_.unlink(file.c_str());
  make_directories(fs::absolute(path_) / kCheckpoints, calls_);
}

}  // namespace heed::training
