// Low-rank adapters of a published model (LoRA, DoRA), in the files of the package `peft`:
// adapter_config.json and adapter_model.safetensors. heed/nn/parameters/low_rank.h
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "heed/models/published/adapter_options.h"
#include "heed/models/published/assembly.h"
#include "heed/models/published/purpose.h"
#include "heed/models/published/weights.h"
#include "heed/nn/parameters/low_rank.h"

namespace heed {
class AtomicDirectory;
}

namespace heed::models::published {

// What an adapter is put into.
struct AdaptedModel {
  const torch::nn::Module& module;
  const std::vector<Origin>& origins;  // of its parameters
  const Plan& plan;
  std::string base;  // in front of names below it, or empty
  Purpose purpose;
  std::set<std::string> fresh;  // names, without the base, of what begins anew
};

// What the adapter of a directory says that its model is for; none where it does not.
std::optional<Purpose> purpose_of_adapter(const std::filesystem::path& directory);

class Adapter {
 public:
  // A fresh one, which is nothing yet. Throws UsageError where a name is that of no linear layer.
  Adapter(const AdaptedModel& model, const AdapterOptions& options);

  // That of a directory, whose tensors are among the weights. Adds their names to `used`. Throws
  // DataError naming the file and the field or tensor that cannot be used.
  Adapter(const AdaptedModel& model, const std::filesystem::path& directory, const Weights& weights,
          std::set<std::string>& used);

  // Only the adapter and the parts of the head that are saved with it learn.
  void freeze_others(const AdaptedModel& model) const;

  // Writes both files. `base`: the directory of the model that it is for.
  void write(const AdaptedModel& model, const std::filesystem::path& base,
             AtomicDirectory& target) const;

  // A parameter of the model with what the adapter adds to it.
  at::Tensor merged(const at::Tensor& parameter) const;

  // Makes it part of the weights.
  void merge();

 private:
  // A linear layer whose parts have names of their own in files.
  struct Layer {
    std::string ours;
    std::shared_ptr<nn::Linear> linear;
    const Origin* origin;
    std::vector<std::string> names = {};  // of the modules of all parts, as peft has them
    std::vector<nn::RowRange> rows = {};  // of them
    std::vector<size_t> adapted = {};     // which of them
  };

  std::vector<Layer> linear_layers(const AdaptedModel& model) const;
  std::vector<std::string> targets(const AdaptedModel& model) const;
  bool is_saved(const std::string& name) const;
  void choose_saved(const AdaptedModel& model);
  void put_into(Layer& layer, int64_t rank) const;
  void read_options(const std::filesystem::path& directory);
  bool read_layer(const AdaptedModel& model, const Weights& weights, Layer& layer,
                  std::set<std::string>& used);
  std::vector<std::string> target_names(const AdaptedModel& model) const;
  std::vector<NamedTensor> tensors(const AdaptedModel& model) const;

  AdapterOptions options_;
  bool rank_stabilised_ = false;    // scaled by alpha over the root of the rank
  std::vector<std::string> saved_;  // modules_to_save: parts of the head, which are saved whole
  std::vector<Layer> layers_;       // that have an adapter
};

}  // namespace heed::models::published
