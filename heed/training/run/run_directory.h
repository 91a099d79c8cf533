// The directory of the files of a run: begun, resumed, and held by one process at a time.
#pragma once

#include <filesystem>

#include "heed/io/system_calls.h"
#include "heed/training/options.h"
#include "heed/training/run/checkpoint.h"

namespace heed::training {

class RunDirectory {
 public:
  // Creates it and takes its lock. What a run that has ended left there is removed unless it is to
  // be resumed. UsageError: another process holds the lock, or the run in it has not ended and is
  // not to be resumed. IoError.
  RunDirectory(const RunFiles& files, SystemCalls& calls);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  CheckpointFolder& checkpoints() { return checkpoints_; }
  const CheckpointFolder& checkpoints() const { return checkpoints_; }

 private:
  void lock();
  void clear();

  std::filesystem::path path_;
  SystemCalls& calls_;
  CheckpointFolder checkpoints_;
  int lock_ = -1;
};

}  // namespace heed::training
