// Checkpoints on disk: FOLDER/step-00000123/ with state.json and tensors.safetensors, each written
// whole or not at all (io/atomic.h). What is older and not wanted any more goes only after the new
// one is on the disk.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/io/json.h"
#include "heed/io/system_calls.h"
#include "heed/io/weights/safetensors.h"

namespace heed::training {

// Tensors that go into a checkpoint; copied to CPU memory where they are not in it.
class SavedTensors {
 public:
  void add(std::string name, const at::Tensor& tensor);
  std::vector<StoredTensor> stored() const;

 private:
  std::vector<std::pair<std::string, at::Tensor>> tensors_;
};

// Copies the tensor of that name, whose shape and dtype must be those of `into`. Throws DataError
// that names the file and the tensor.
void load_tensor(const Safetensors& from, const std::string& name, at::Tensor into);

// The same for a tensor of bytes of any length.
at::Tensor load_bytes(const Safetensors& from, const std::string& name);

class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::filesystem::path folder, SystemCalls& calls = real_system_calls())
      : folder_(std::move(folder)), calls_(&calls) {}

  std::filesystem::path path_of(int64_t step) const;

  // Steps of all whole checkpoints, ascending.
  std::vector<int64_t> steps() const;

  // Throws IoError; the checkpoints before are then all there.
  void save(int64_t step, OrderedJson state, const SavedTensors& tensors);

  // Removes all but the last `keep` and that of `best`; what cannot be removed stays. Also what a
  // killed run left half done, so only one run may use the folder.
  void prune(int64_t keep, std::optional<int64_t> best);

  // What save() was given. Throws DataError where the checkpoint is not what it was when it was
  // saved, which says how to go on from the one before.
  struct Content {
    JsonValue state;
    Safetensors tensors;
  };
  Content load(int64_t step) const;
  std::optional<Content> newest() const;  // none: there is no checkpoint

 private:
  Content read(int64_t step) const;
  void remove(int64_t step);

  std::filesystem::path folder_;
  SystemCalls* calls_;
};

}  // namespace heed::training
