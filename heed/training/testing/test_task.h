// A small task for the tests of this folder: everything that may go wrong when a run is resumed is
// in it (dropout, examples of several lengths and weights), and a step takes a fraction of a
// millisecond.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/io/weights/safetensors.h"
#include "heed/nn/layers/linear.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/common/task.h"
#include "heed/training/run/checkpoint.h"

namespace heed::test {

class SmallModel : public torch::nn::Module {
 public:
  SmallModel() {
    lower = register_module("lower",
                            std::make_shared<nn::Linear>(nn::LinearOptions{.in = 4, .out = 8}));
    upper = register_module("upper",
                            std::make_shared<nn::Linear>(nn::LinearOptions{.in = 8, .out = 1}));
    const c10::AutoGradMode no_gradients(false);
    for (at::Tensor& parameter : parameters()) parameter.normal_(0, 0.3);
  }

  at::Tensor forward(const at::Tensor& input) const {
    const at::Tensor hidden = at::tanh(lower->forward(input));
    return upper->forward(at::dropout(hidden, dropout, is_training())).squeeze(-1);
  }

  std::shared_ptr<nn::Linear> lower;
  std::shared_ptr<nn::Linear> upper;
  double dropout = 0.3;
};

struct PointBatch final : tasks::Batch {
  using Batch::Batch;
  at::Tensor points;  // (tokens, 4)
};

// Example i is a row of `i % 5 + 1` tokens, each a point of which sin(sum) is to be learned; the
// loss is the mean over the tokens of a batch.
class SmallTask final : public tasks::TaskOf<PointBatch> {
 public:
  explicit SmallTask(int64_t examples = 23) : points_(at::randn({examples, 5, 4})) {
    for (int64_t i = 0; i < examples; ++i) lengths_.push_back(i % 5 + 1);
  }

  std::string name() const override { return "small"; }
  torch::nn::Module& module() override { return model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<tasks::Source> sources() const override {
    return {tasks::source_of("training data", [&](Checksum& sum) {
      sum.add(points_.const_data_ptr(), points_.nbytes());
    })};
  }

  std::unique_ptr<PointBatch> batch_of(std::vector<int64_t> examples) const override {
    auto batch = std::make_unique<PointBatch>(std::move(examples));
    std::vector<at::Tensor> rows;
    for (const int64_t i : batch->examples) {
      rows.push_back(points_[i].narrow(0, 0, lengths_[static_cast<size_t>(i)]));
    }
    batch->points = at::cat(rows);
    return batch;
  }

  tasks::Loss loss_of(const PointBatch& batch) override {
    const at::Tensor& points = batch.points;
    const at::Tensor target = at::sin(points.sum(-1));
    return {.value = (model.forward(points * scale) - target).pow(2).mean(),
            .tokens = points.size(0),
            .weight = static_cast<double>(points.size(0))};
  }

  tasks::Metrics validate(const tasks::Progress& progress) override {
    at::rand({1});  // a validation that draws must not change the training
    if (progress) progress(1, 2);
    const c10::InferenceMode inference;
    const at::Tensor points = points_.flatten(0, 1);
    const at::Tensor error = model.forward(points) - at::sin(points.sum(-1));
    if (progress) progress(2, 2);
    return {{"loss", error.pow(2).mean().item<double>()}};
  }

  tasks::Watched watched(const std::string& name) const override {
    return tasks::watched_among({tasks::lowest("loss")}, name, "loss");
  }

  void save(const std::filesystem::path& directory) const override {
    training::SavedTensors tensors;
    for (const auto& item : model.named_parameters()) tensors.add(item.key(), item.value());
    AtomicDirectory files(directory, {"model.safetensors"}, *calls);
    write_safetensors(files, "model.safetensors", tensors.stored());
    files.commit();
  }

  // All weights in a row.
  std::vector<float> weights() const {
    std::vector<at::Tensor> rows;
    for (const at::Tensor& p : model.parameters()) rows.push_back(p.detach().flatten());
    const at::Tensor all = at::cat(rows).contiguous();
    return {all.const_data_ptr<float>(), all.const_data_ptr<float>() + all.numel()};
  }

  SmallModel model;
  double scale = 1;  // of what the model is shown in training
  SystemCalls* calls = &real_system_calls();

 private:
  at::Tensor points_;  // (examples, 5, 4)
  std::vector<int64_t> lengths_;
};

}  // namespace heed::test
