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
  at::Tensor value;    // scalar, mean over the batch, with its graph
  int64_t tokens = 0;  // read, padding not counted: for the speed that is shown
  double weight = 1;  // what the mean is over: examples, or tokens to be predicted. Several batches
                      // before an update count by it, so that together they are one large batch
};

// Training examples made ready for the module. A task whose preparation is worth the trouble
// derives its own (padded ids, targets, masks) and inherits from TaskOf of it.
struct Batch {
  explicit Batch(std::vector<int64_t> numbers) : examples(std::move(numbers)) {}
  virtual ~Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::vector<int64_t> examples;  // their numbers
};

// Those before one update; null where nothing of a batch falls to this process.
using Batches = std::vector<std::unique_ptr<Batch>>;

// In the order in which they are shown, "loss" among them.
using Metrics = std::vector<std::pair<std::string, double>>;

// The metric that decides which model is best. Which ones may, of those that its validate() gives,
// says the function watchable() of a task's class: {lowest("loss"), highest("accuracy")}.
struct Watched {
  std::string name;
  bool higher_is_better;
};
inline Watched lowest(std::string name) { return {std::move(name), false}; }
inline Watched highest(std::string name) { return {std::move(name), true}; }

// That of this name; where it is empty, `usual`. Throws UsageError where there is no such one.
Watched watched_among(const std::vector<Watched>& watchable, const std::string& name,
                      const std::string& usual);

// A checksum of something that a task was made of: "training data", "labels".
struct Source {
  std::string name;
  std::string checksum;
};

// Called with (done, total) while something long goes on.
using Progress = std::function<void(int64_t, int64_t)>;

// Throws UsageError where there is no such metric.
double metric(const Metrics& metrics, const std::string& name);

// Where the parameters of a module are; the CPU if it has none.
at::Device device_of(const torch::nn::Module& module);

// A task is what its constructor made of the data, and the module; nothing else changes while it is
// trained, or a run could not be resumed.
class Task {
 public:
  virtual ~Task() = default;

  virtual std::string name() const = 0;
  virtual torch::nn::Module& module() = 0;

  // Tokens of each training example, from which batches of similar length are made.
  virtual const std::vector<int64_t>& train_lengths() const = 0;

  // All that the task was made of and that a run must not change: contents of the training and the
  // validation data, labels, tokenizers.
  virtual std::vector<Source> sources() const = 0;

  // A batch of training examples, given by their numbers: what needs neither weights nor random
  // numbers. Called on several threads at once, ahead of the step that asks for the loss, so it
  // changes nothing. Tensors in CPU memory.
  virtual std::unique_ptr<Batch> prepare(std::vector<int64_t> examples) const;

  // The loss of what prepare() returned, in training mode. Random numbers come from torch's default
  // generator, whose state a checkpoint holds. Moves its tensors to device_of(module()). May be
  // called twice with the same batch, which it leaves as it is.
  virtual Loss loss(const Batch& batch) = 0;

  // Metrics on the validation data, in evaluation mode; every number finite. `progress` may throw
  // to stop.
  virtual Metrics validate(const Progress& progress) = 0;

  // That of the watchable() ones that has this name; where it is empty, what the task has itself.
  virtual Watched watched(const std::string& name) const = 0;

  // Writes the whole model as a directory, atomically. Its parameters are in CPU memory then.
  virtual void save(const std::filesystem::path& directory) const = 0;
};

// A task with batches of its own: what batch_of() makes ready, loss_of() is given.
template <typename Prepared>
class TaskOf : public Task {
 public:
  std::unique_ptr<Batch> prepare(std::vector<int64_t> examples) const final {
    return batch_of(std::move(examples));
  }
  Loss loss(const Batch& batch) final { return loss_of(static_cast<const Prepared&>(batch)); }

 protected:
  // As prepare() and loss() above.
  virtual std::unique_ptr<Prepared> batch_of(std::vector<int64_t> examples) const = 0;
  virtual Loss loss_of(const Prepared& batch) = 0;
};

}  // namespace heed::tasks
