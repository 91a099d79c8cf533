// The directory of the files of a run: begun, resumed, and held by one process at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "heed/io/system_calls.h"
#include "heed/training/run/checkpoint.h"
#include "heed/training/training_options.h"

namespace heed::training {

// Whether there is a trained model in this directory, or anything else.
bool has_model(const std::filesystem::path& directory);

// Throws UsageError where training into `model` with these files would cost something that is
// there already and nobody said that it may: a run that has not ended (which is resumed or
// overwritten), one that has, a model. The message says what to type. Touches nothing.
void check_may_begin(const RunFiles& files, const std::filesystem::path& model);

// Where the files of the run that makes `model` are: beside it, whatever way its name is written.
// Empty for what is no name of a directory that may be replaced: "", "..", "/".
std::filesystem::path run_directory_of(const std::filesystem::path& model);

class RunDirectory {
 public:
  // Creates it and takes its lock. What is there is removed with files.overwrite. UsageError:
  // another process holds the lock, or as check_may_begin. IoError.
  RunDirectory(const RunFiles& files, const std::filesystem::path& model, SystemCalls& calls);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  CheckpointFolder& checkpoints() { return checkpoints_; }
  const CheckpointFolder& checkpoints() const { return checkpoints_; }

  // The tensors of the checkpoint of the best model, where its directory is gone. Throws UsageError
  // where that checkpoint is gone too.
  std::optional<Safetensors> if_model_is_gone(const std::filesystem::path& model, int64_t best);

  // Says on the disk that the run here has not ended, or not any more.
  void go_on();

 private:
  void lock();
  void clear();

  std::filesystem::path path_;
  SystemCalls& calls_;
  CheckpointFolder checkpoints_;
  int lock_ = -1;
};

}  // namespace heed::training
