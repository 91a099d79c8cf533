// What a trainer knows of the thing it trains: a module, examples to learn from, a loss, and
// metrics on data that was held back. A task is one file; the trainer knows no model by name.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace heed::tasks {

struct Loss {
  at::Tensor value;  // scalar, mean over the batch, with its graph
  int64_t tokens = 0;
};

// In the order in which they are shown, "loss" among them.
using Metrics = std::vector<std::pair<std::string, double>>;

// The metric that decides which model is best.
struct Watched {
  std::string name;
  bool higher_is_better = true;
};

// Called with (done, total) while something long goes on.
using Progress = std::function<void(int64_t, int64_t)>;

// Throws UsageError where there is no such metric.
double metric(const Metrics& metrics, const std::string& name);

class Task {
 public:
  virtual ~Task() = default;

  virtual std::string name() const = 0;
  virtual torch::nn::Module& module() = 0;

  // Tokens of each training example, from which batches of similar length are made.
  virtual const std::vector<int64_t>& train_lengths() const = 0;

  // The loss of a batch of training examples, given by their numbers.
  virtual Loss loss(const std::vector<int64_t>& examples) = 0;

  // Metrics on the validation data, in evaluation mode.
  virtual Metrics validate(const Progress& progress) = 0;
  virtual Watched watched() const = 0;

  // Writes the whole model as a directory, atomically.
  virtual void save(const std::filesystem::path& directory) const = 0;
};

}  // namespace heed::tasks
