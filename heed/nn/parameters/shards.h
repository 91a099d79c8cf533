// Layers split over several processes: each holds some heads of every attention layer and some
// columns of every feed-forward layer, all else is in each of them.
// Shoeybi et al. 2019, section 3
//
// A split layer takes the same input x in all processes, makes its part of the output from it, and
// sums the parts: one sum a layer in each direction.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/layers/linear.h"

namespace heed::nn {

// The processes that hold the parts of one model.
class Shards {
 public:
  virtual ~Shards() = default;
  virtual int64_t index() const = 0;  // of the part that is here, from 0
  virtual int64_t count() const = 0;

  // Sums contiguous tensors over the processes, in place; the same bits in all of them.
  virtual void sum(at::Tensor values) const = 0;
};
using ShardsPtr = std::shared_ptr<const Shards>;  // null: the layer is whole

// x as the input of a layer whose parts are in several processes: x itself, and its gradient is the
// sum of theirs.                                                              (f of figure 3)
at::Tensor into_parts(const at::Tensor& x, const ShardsPtr& shards);

// layer(x) where x (..., in / count) is the part that this process has of the input, and the weight
// that of the columns: the sum over the processes, in float32 at least, and the bias.
//                                                                             (g of figure 3)
at::Tensor sum_of_parts(const Linear& layer, const at::Tensor& x, const ShardsPtr& shards);

// A tensor of which a process holds a part: along one dimension, of each of the blocks that stand
// behind each other there, an equal piece.
struct ShardedTensor {
  at::Tensor tensor;
  int64_t dimension = 0;
  std::vector<int64_t> blocks;  // their sizes in the whole tensor

  std::vector<int64_t> whole_sizes() const;
  at::Tensor part_of(const at::Tensor& whole, int64_t index, int64_t count) const;
  at::Tensor whole_of(const std::vector<at::Tensor>& parts) const;  // in the order of their index
};

// Those of a linear layer whose outputs are split.
void add_rows(std::vector<ShardedTensor>& splits, const Linear& layer, std::vector<int64_t> blocks);

// A layer that can be split.
class Splittable {
 public:
  virtual ~Splittable() = default;

  // Throws UsageError where this many processes cannot share it evenly.
  virtual void check_split(int64_t count) const = 0;

  // What is split of it; called while it is whole.
  virtual std::vector<ShardedTensor> splits() const = 0;

  // From now on its tensors are the parts of these processes; null: whole again.
  virtual void set_shards(ShardsPtr shards) = 0;
};

// The layers of a module that can be split.
std::vector<Splittable*> splittable_layers(torch::nn::Module& module);

// Leaves in each layer the part of this process, and returns what is split. The tensors keep their
// identity (torch's set_data): do this before anything made a graph with them. Throws UsageError,
// and then nothing has changed, where a layer cannot be shared evenly or none can be split.
std::vector<ShardedTensor> split_layers(torch::nn::Module& module, const ShardsPtr& shards);

}  // namespace heed::nn
