// One update of the weights: loss and gradients of one or more batches, penalties, clipping, the
// optimizer, the running average.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/safetensors.h"
#include "heed/tasks/task.h"
#include "heed/training/checkpoint.h"
#include "heed/training/gradient_reducer.h"
#include "heed/training/named_parameters.h"
#include "heed/training/options.h"
#include "heed/training/precision.h"
#include "heed/training/random_state.h"
#include "heed/training/weight_average.h"

namespace heed::training {

// The loss or the gradients of an update are not finite; says in which layer that began. The
// weights are those before the update.
class NotFiniteError : public Error {
 public:
  using Error::Error;
};

using Batches = std::vector<std::unique_ptr<tasks::Batch>>;

class Updater {
 public:
  // Moves the module to the device of the options. Throws UsageError for options that cannot be
  // used.
  Updater(tasks::Task& task, const TrainingOptions& options);

  struct Result {
    double loss = 0;    // mean over all batches, by weight
    double weight = 0;  // of all batches
    int64_t tokens = 0;
    double gradient_norm = 0;  // infinite where the loss scale left the update out
  };

  // The batches count by their weight, as if they were one; in a group, those of all processes do.
  // A null batch is one of which nothing fell to this process. Throws NotFiniteError.
  Result update(const Batches& batches, double learning_rate);

  // The running average; the weights themselves where it is off.
  WeightAverage& average() { return average_; }
  LossScale& loss_scale() { return loss_scale_; }
  c10::Device device() const { return device_; }
  int64_t parameter_count() const;

  // All that an update depends on and changes, but for the counts in RunState: weights and buffers
  // of the module, averages, the optimizer's moments, random numbers.
  SavedTensors saved() const;
  void load(const Safetensors& from);

  // Takes over weights, averages and moments of rank 0; random numbers are those of each process.
  void share();

 private:
  void sum_over_group(Result& result) const;
  template <typename Visit>
  void for_each_tensor(const Visit& visit) const;
  tasks::Loss loss_of(const tasks::Batch& batch);
  [[noreturn]] void explain(const std::string& what,
                            const std::vector<const tasks::Batch*>& batches,
                            const std::vector<RandomState>& random);

  tasks::Task& task_;
  double clip_norm_;
  c10::Device device_;
  Precision precision_;
  NamedTensors parameters_;  // that are trained
  mutable Optimizer optimizer_;
  mutable WeightAverage average_;
  LossScale loss_scale_;
  ProcessGroup* group_;
  std::optional<GradientReducer> reducer_;  // in a group
};

}  // namespace heed::training
