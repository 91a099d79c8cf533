// Heed's side of benchmarks/training/compare.py, which starts it: one model of that comparison,
// with weights and data from safetensors files. Every line on standard input is one run, answered
// by a line {"ms", "loss"}; the first line of output describes the machine.
//
//   heed_bench_training CASE DTYPE THREADS WEIGHTS DATA

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "benchmarks/bench.h"
#include "heed/base/error.h"
#include "heed/io/weights/safetensors.h"
#include "heed/models/files/parameters.h"
#include "heed/models/language_model.h"
#include "heed/models/text_classifier.h"
#include "heed/nn/encoder.h"
#include "heed/ops/cross_entropy.h"
#include "heed/ops/threads.h"
#include "heed/training/optimizer.h"
#include "heed/training/precision.h"

namespace heed::bench {
namespace {

constexpr double kLearningRate = 3e-4;
constexpr double kClipNorm = 1;

class Data {
 public:
  explicit Data(const std::string& path) : file_(Safetensors::from_file(path)) {}

  at::Tensor operator[](const std::string& name) const {
    const StoredTensor& found = file_.at(name);
    const auto type = found.dtype == SafetensorsDtype::kI64 ? at::kLong : at::kFloat;
    return at::from_blob(const_cast<std::byte*>(found.data), found.shape, type).clone();
  }

 private:
  Safetensors file_;
};

struct Setting {
  training::Precision precision;
  const Safetensors& weights;
  const Data& data;
};

// One run; returns the loss, or what stands for it.
using Run = std::function<double()>;

// A step of training on batch after batch of the data, `loss` being that of batch number i.
Run step_of(const std::shared_ptr<torch::nn::Module>& model, const Setting& setting,
            int64_t batches, std::function<at::Tensor(int64_t)> loss) {
  models::load_parameters(*model, setting.weights);
  model->train();
  auto optimizer = std::make_shared<training::Optimizer>(
      model->parameters(), training::OptimizerOptions{.weight_decay = 0.01});
  const training::Precision precision = setting.precision;
  return [=, step = int64_t{0}]() mutable {
    optimizer->zero_gradients();
    at::Tensor value;
    {
      const training::Autocast autocast(at::kCPU, precision);
      value = loss(step++ % batches);
    }
    value.backward();
    optimizer->clip_gradients(kClipNorm);
    optimizer->step(kLearningRate);
    return value.item<double>();
  };
}

struct GptSize {
  int64_t num_layers;
  int64_t d_model;
  int64_t num_heads;
};

Run gpt(const GptSize& size, const Setting& setting) {
  const at::Tensor ids = setting.data["ids"];  // (batches, B, T + 1)
  const int64_t length = ids.size(2) - 1;
  models::LanguageModelOptions options = models::gpt2_options();
  options.vocab_size = setting.data["vocabulary"].item<int64_t>();
  auto& transformer = options.transformer;
  transformer.d_model = size.d_model;
  transformer.num_heads = size.num_heads;
  transformer.num_layers = size.num_layers;
  transformer.d_ff = 4 * size.d_model;
  transformer.max_length = length;
  transformer.activation = "gelu";
  transformer.dropout = transformer.attention_dropout = transformer.embedding_dropout = 0;
  auto model = std::make_shared<models::LanguageModel>(options);
  return step_of(model, setting, ids.size(0), [=](int64_t batch) {
    const at::Tensor rows = ids[batch];
    return cross_entropy(model->forward(rows.narrow(1, 0, length)), rows.narrow(1, 1, length));
  });
}

Run classifier(const Setting& setting) {
  const at::Tensor ids = setting.data["ids"];          // (batches, B, N)
  const at::Tensor lengths = setting.data["lengths"];  // (batches, B)
  const at::Tensor labels = setting.data["labels"];    // (batches, B)
  models::TextClassifierOptions options;
  models::TransformerOptions& transformer = options.transformer;
  transformer.dropout = transformer.attention_dropout = transformer.embedding_dropout = 0;
  auto model = std::make_shared<models::TextClassifier>(options);
  return step_of(model, setting, ids.size(0), [=](int64_t batch) {
    return cross_entropy(model->forward({.ids = ids[batch], .lengths = lengths[batch]}),
                         labels[batch]);
  });
}

Run bert(const Setting& setting) {
  const at::Tensor input = setting.data["input"];  // (B, N, C)
  const at::Tensor probe = setting.data["probe"];
  auto encoder = std::make_shared<nn::Encoder>(
      12, nn::LayerOptions{.d_model = 768,
                           .num_heads = 12,
                           .d_ff = 3072,
                           .feed_forward = nn::feed_forward_kind_from("gelu")});
  models::load_parameters(*encoder, setting.weights);
  encoder->eval();
  const training::Precision precision = setting.precision;
  return [=] {
    const c10::InferenceMode inference;
    const training::Autocast autocast(at::kCPU, precision);
    return (encoder->forward(input, Pattern::full()).to(at::kFloat) * probe).mean().item<double>();
  };
}

Run run_of(const std::string& name, const Setting& setting) {
  if (name == "gpt6x384") return gpt({6, 384, 6}, setting);
  if (name == "gpt4x128") return gpt({4, 128, 4}, setting);
  if (name == "classifier") return classifier(setting);
  if (name == "bert") return bert(setting);
  throw UsageError(
      text_of("case: expected gpt6x384, gpt4x128, classifier or bert, got '", name, "'"));
}

int run(char** arguments) {
#ifdef __GLIBC__  // as the program heed does
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  const int threads = std::stoi(arguments[3]);
  heed::set_threads(threads);
  const Safetensors weights = Safetensors::from_file(arguments[4]);
  const Data data(arguments[5]);
  const Run once =
      run_of(arguments[1], {training::precision_from(arguments[2], at::kCPU), weights, data});
  std::printf("{\"cpu\": \"%s\", \"float32\": %.1f, \"bfloat16\": %.1f}\n", cpu_name().c_str(),
              peak_float32(threads), peak_bfloat16(threads));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto begin = std::chrono::steady_clock::now();
    const double loss = once();
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - begin;
    std::printf("{\"ms\": %.4f, \"loss\": %.7f}\n", taken.count(), loss);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace heed::bench

int main(int count, char** arguments) {
  if (count != 6) {
    std::fputs("usage: heed_bench_training CASE DTYPE THREADS WEIGHTS DATA\n", stderr);
    return 2;
  }
  try {
    return heed::bench::run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heed_bench_training: %s\n", error.what());
    return 1;
  }
}
