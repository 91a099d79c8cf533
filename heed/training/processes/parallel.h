// How the processes of a group divide the training of one model among themselves: `tensor` of them
// with consecutive ranks hold one model together (nn/parameters/shards.h), and each such set takes
// its share of every batch. With 4 processes and tensor 2, ranks {0, 1} hold one model and {2, 3}
// the other; {0, 2} hold the same part of it, and so do {1, 3}.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "heed/nn/parameters/shards.h"
#include "heed/training/processes/process_group.h"

namespace heed::training {

class Parallel {
 public:
  // `all`: null: this process alone. Throws UsageError where `tensor` does not divide their number.
  Parallel(ProcessGroup* all, int64_t tensor);

  ProcessGroup* all() const { return all_; }  // null: this process alone

  // Those that hold the same part, each with another share of a batch; null: this one alone.
  ProcessGroup* data() const { return data_part_ ? data_part_.get() : data_; }
  int data_rank() const { return data() != nullptr ? data()->rank() : 0; }
  int data_size() const { return data() != nullptr ? data()->size() : 1; }

  // Those that hold one model together; null: it is whole here.
  ProcessGroup* model() const { return model_part_ ? model_part_.get() : model_; }
  int model_rank() const { return model() != nullptr ? model()->rank() : 0; }

 private:
  ProcessGroup* all_;
  ProcessGroup* data_ = nullptr;   // where it is all of them
  ProcessGroup* model_ = nullptr;  // the same
  std::unique_ptr<ProcessGroup> data_part_;
  std::unique_ptr<ProcessGroup> model_part_;
};

// A module whose layers are split over the processes of a group.
class SplitModel {
 public:
  // All processes come with the same weights. Throws UsageError as nn::split_layers does.
  SplitModel(torch::nn::Module& module, ProcessGroup& group);

  // How this parameter or buffer is split; null: it is whole in all processes.
  const nn::ShardedTensor* split_of(const at::Tensor& tensor) const;

  at::Tensor part_of(const nn::ShardedTensor& split, const at::Tensor& whole) const;

  // The whole of a tensor that is split like that, in rank 0; undefined in the others. All
  // processes call it.
  at::Tensor whole_of(const nn::ShardedTensor& split, const at::Tensor& part) const;

  // While it lives, the module of rank 0 is whole and that of the others must not be used. All
  // processes make one.
  class Gathered {
   public:
    explicit Gathered(const SplitModel& model);
    ~Gathered();
    Gathered(const Gathered&) = delete;
    Gathered& operator=(const Gathered&) = delete;

   private:
    const SplitModel& model_;
    std::vector<at::Tensor> parts_;  // in rank 0
  };

 private:
  ProcessGroup& group_;
  nn::ShardsPtr shards_;
  std::vector<nn::Splittable*> layers_;
  std::vector<nn::ShardedTensor> splits_;
  std::map<const c10::TensorImpl*, size_t> by_tensor_;  // numbers in splits_
};

}  // namespace heed::training
