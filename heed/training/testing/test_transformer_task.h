// A small task whose model has all layers that tensor parallel training splits: an encoder, a
// decoder with cross-attention, and what is whole around them.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "heed/io/weights/safetensors.h"
#include "heed/nn/decoder.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/linear.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/common/task.h"
#include "heed/training/run/checkpoint.h"

namespace heed::test {

struct TransformerChoice {
  int64_t num_heads = 4;
  int64_t num_key_value_heads = 0;
  double dropout = 0;
  double attention_dropout = 0;
};

class SmallTransformer : public torch::nn::Module {
 public:
  explicit SmallTransformer(const TransformerChoice& choice) {
    const nn::LayerOptions layer{.d_model = 16,
                                 .num_heads = choice.num_heads,
                                 .d_ff = 32,
                                 .attention = {.score = "cosine",
                                               .positions = "relative",
                                               .num_key_value_heads = choice.num_key_value_heads},
                                 .feed_forward = nn::feed_forward_kind_from("swiglu"),
                                 .norm_first = true,
                                 .dropout = choice.dropout,
                                 .attention_dropout = choice.attention_dropout};
    nn::LayerOptions reading = layer;
    reading.attention.score = "scaled_dot";
    reading.d_memory = 16;
    input = register_module("input",
                            std::make_shared<nn::Linear>(nn::LinearOptions{.in = 4, .out = 16}));
    encoder = register_module("encoder", std::make_shared<nn::Encoder>(1, layer));
    decoder = register_module("decoder", std::make_shared<nn::Decoder>(1, reading));
    output = register_module("output",
                             std::make_shared<nn::Linear>(nn::LinearOptions{.in = 16, .out = 1}));
  }

  // (B, N, 4) -> (B, N)
  at::Tensor forward(const at::Tensor& points) const {
    const at::Tensor x = input->forward(points);
    const nn::Memory memory{.states = encoder->forward(x, Pattern::full())};
    return output->forward(decoder->forward(x, {.memory = &memory})).squeeze(-1);
  }

  std::shared_ptr<nn::Linear> input;
  std::shared_ptr<nn::Encoder> encoder;
  std::shared_ptr<nn::Decoder> decoder;
  std::shared_ptr<nn::Linear> output;
};

// Each row is 6 points; the sine of the sum of all coordinates so far is to be learned.
class TransformerTask final : public tasks::Task {
 public:
  explicit TransformerTask(const TransformerChoice& choice = {})
      : model(choice), points_(at::randn({22, 6, 4}) * 0.5), lengths_(22, 6) {}

  std::string name() const override { return "transformer"; }
  torch::nn::Module& module() override { return model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<tasks::Source> sources() const override {
    return {tasks::source_of("training data", [&](Checksum& sum) {
      sum.add(points_.const_data_ptr(), points_.nbytes());
    })};
  }

  tasks::Loss loss(const tasks::Batch& batch) override {
    const at::Tensor points = points_.index_select(0, at::tensor(batch.examples));
    return {.value = error_of(points),
            .tokens = points.size(0) * 6,
            .weight = static_cast<double>(points.size(0))};
  }

  tasks::Metrics validate(const tasks::Progress& progress) override {
    const c10::InferenceMode inference;
    if (progress) progress(1, 1);
    return {{"loss", error_of(points_).item<double>()}};
  }
  tasks::Watched watched(const std::string& name) const override {
    return tasks::watched_among({tasks::lowest("loss")}, name, "loss");
  }

  void save(const std::filesystem::path& directory) const override {
    training::SavedTensors tensors;
    for (const auto& item : model.named_parameters()) tensors.add(item.key(), item.value());
    AtomicDirectory files(directory, {"model.safetensors"}, real_system_calls());
    write_safetensors(files, "model.safetensors", tensors.stored());
    files.commit();
  }

  SmallTransformer model;

 private:
  at::Tensor error_of(const at::Tensor& points) const {
    return (model.forward(points) - at::sin(points.sum(-1).cumsum(-1))).pow(2).mean();
  }

  at::Tensor points_;  // (examples, 6, 4)
  std::vector<int64_t> lengths_;
};

}  // namespace heed::test
