// One update of the weights: loss and gradients of one or more batches, penalties, clipping, the
// optimizer, the running average.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/weights/safetensors.h"
#include "heed/tasks/common/task.h"
#include "heed/training/named_parameters.h"
#include "heed/training/precision.h"
#include "heed/training/processes/gradient_reducer.h"
#include "heed/training/processes/parallel.h"
#include "heed/training/random_state.h"
#include "heed/training/run/checkpoint.h"
#include "heed/training/training_options.h"
#include "heed/training/weight_average.h"

namespace heed::training {

// The loss or the gradients of an update are not finite; says in which layer that began. The
// weights are those before the update.
class NotFiniteError : public Error {
 public:
  using Error::Error;
};

class Updater {
 public:
  // Moves the module to the device of the options; in a group, gives it the weights of rank 0 and
  // leaves the part of this process in it. Throws UsageError for options that cannot be used.
  Updater(tasks::Task& task, const TrainingOptions& options);

  struct Result {
    double loss = 0;    // mean over all batches, by weight
    double weight = 0;  // of all batches
    int64_t tokens = 0;
    double gradient_norm = 0;  // infinite where the loss scale left the update out
    bool stop = false;         // some process of the group wants to
  };

  // The batches count by their weight, as if they were one; in a group, those of all processes do.
  // A null batch is one of which nothing fell to this process. In a group `stop` is asked once, and
  // the answer travels with the losses. Throws NotFiniteError.
  Result update(const tasks::Batches& batches, double learning_rate,
                const std::function<bool()>& stop = {});

  // The running average; the weights themselves where it is off.
  WeightAverage& average() { return average_; }
  LossScale& loss_scale() { return loss_scale_; }
  c10::Device device() const { return device_; }
  const Parallel& parallel() const { return parallel_; }
  int64_t parameter_count() const { return parameter_count_; }  // of the whole model

  // All that an update depends on and changes, but for the counts in RunState: weights and buffers
  // of the module, averages, the optimizer's moments, random numbers. Whole tensors, however many
  // processes hold them: those that hold the model of rank 0 call it together, and what rank 0 gets
  // counts.
  SavedTensors saved() const;

  // In a group, all processes together: rank 0 reads, the others give null. Random numbers go to
  // rank 0 alone.
  void load(const Safetensors* from);

  // The processes that hold one model draw the same random numbers, those of their first.
  void share_random();

  // While it lives, the module of rank 0 is whole: for validation and saving. Made by the processes
  // that hold it; null where that is one.
  std::unique_ptr<SplitModel::Gathered> gathered() const;

 private:
  int64_t place_module();
  std::optional<SplitModel> split_module();
  void watch_norm();
  void sum_over_group(Result& result, const std::function<bool()>& stop);
  void broadcast(const at::Tensor& tensor) const;
  void load_random(const Safetensors& from);
  const nn::ShardedTensor* split_of(const at::Tensor& tensor) const;
  template <typename Visit>
  void for_each_tensor(const Visit& visit) const;
  tasks::Loss loss_of(const tasks::Batch& batch);
  [[noreturn]] void explain(const std::string& what,
                            const std::vector<const tasks::Batch*>& batches,
                            const std::vector<RandomState>& random);

  tasks::Task& task_;
  double clip_norm_;
  bool gradient_checkpointing_;
  Parallel parallel_;
  c10::Device device_;
  Precision precision_;
  int64_t parameter_count_;
  std::optional<SplitModel> split_;  // where several processes hold one model
  NamedTensors parameters_;          // that are trained
  mutable Optimizer optimizer_;
  mutable WeightAverage average_;
  LossScale loss_scale_;
  std::optional<GradientReducer> reducer_;  // where others take a share of each batch
};

}  // namespace heed::training
