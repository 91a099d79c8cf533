#include "heed/training/processes/parallel.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/base/error.h"

namespace heed::training {
namespace {

class GroupShards final : public nn::Shards {
 public:
  explicit GroupShards(ProcessGroup& group) : group_(group) {}
  int64_t index() const override { return group_.rank(); }
  int64_t count() const override { return group_.size(); }
  void sum(at::Tensor values) const override { group_.sum(std::move(values)); }

 private:
  ProcessGroup& group_;
};

}  // namespace

Parallel::Parallel(ProcessGroup* all, int64_t tensor) : all_(all) {
  const int size = all != nullptr ? all->size() : 1;
  check_usage(tensor >= 1 && size % tensor == 0,
              "tensor parallel: expected a number of processes that ", tensor, " divides, got ",
              size, all == nullptr ? "; start them with torchrun or mpirun" : "");
  if (all == nullptr) return;
  if (tensor == size) {
    model_ = all;
    return;
  }
  if (tensor == 1) {
    data_ = all;
    return;
  }
  const int in_model = static_cast<int>(tensor);
  std::vector<int> model;
  std::vector<int> data;
  for (int rank = 0; rank < size; ++rank) {
    if (rank / in_model == all->rank() / in_model) model.push_back(rank);
    if (rank % in_model == all->rank() % in_model) data.push_back(rank);
  }
  model_part_ = all->part(model);
  data_part_ = all->part(data);
}

SplitModel::SplitModel(torch::nn::Module& module, ProcessGroup& group)
    : group_(group),
      shards_(std::make_shared<GroupShards>(group)),
      layers_(nn::splittable_layers(module)),
      splits_(nn::split_layers(module, shards_)) {
  for (size_t i = 0; i < splits_.size(); ++i) {
    by_tensor_[splits_[i].tensor.unsafeGetTensorImpl()] = i;
  }
}

const nn::ShardedTensor* SplitModel::split_of(const at::Tensor& tensor) const {
  const auto found = by_tensor_.find(tensor.unsafeGetTensorImpl());
  return found != by_tensor_.end() ? &splits_[found->second] : nullptr;
}

at::Tensor SplitModel::part_of(const nn::ShardedTensor& split, const at::Tensor& whole) const {
  return split.part_of(whole, group_.rank(), group_.size());
}

at::Tensor SplitModel::whole_of(const nn::ShardedTensor& split, const at::Tensor& part) const {
  const c10::AutoGradMode no_gradients(false);
  const auto parts = group_.gather(part.contiguous());
  return parts.empty() ? at::Tensor() : split.whole_of(parts);
}

SplitModel::Gathered::Gathered(const SplitModel& model) : model_(model) {
  const bool first = model.group_.is_first();
  for (const nn::ShardedTensor& split : model.splits_) {
    const at::Tensor part = split.tensor.detach();
    const at::Tensor whole = model.whole_of(split, part);
    if (!first) continue;
    parts_.push_back(part);
    split.tensor.set_data(whole);
  }
  if (!first) return;
  for (nn::Splittable* layer : model.layers_) layer->set_shards(nullptr);
}

SplitModel::Gathered::~Gathered() {
  if (parts_.empty()) return;
  for (size_t i = 0; i < parts_.size(); ++i) model_.splits_[i].tensor.set_data(parts_[i]);
  for (nn::Splittable* layer : model_.layers_) layer->set_shards(model_.shards_);
}

}  // namespace heed::training
