// heed::linear against at::linear, and against oneDNN's packed operator where that exists: forward,
// both gradients, decoding.
#include "heed/ops/linear.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd.h>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/bench.h"
#include "heed/base/error.h"

namespace heed::bench {
namespace {

struct Shape {
  int64_t rows = 0;  // tokens
  int64_t in = 0;
  int64_t out = 0;
  Activation activation = Activation::kNone;
};

struct Case {
  std::string name, pass, dtype;
  Shape shape;
  double operations = 0;
  double bytes = 0;
  std::function<void()> heed;
  std::vector<Contender> peers;
};

class Suite {
 public:
  Suite(const BenchOptions& options)
      : options_(options), report_(measure_machine(options.threads), options) {}

  void run(const Case& c) const {
    if (c.name.find(options_.filter) == std::string::npos) return;
    std::vector<Contender> contenders{{"heed", c.heed}};
    contenders.insert(contenders.end(), c.peers.begin(), c.peers.end());
    const auto timings = time_in_turn(contenders, {.seconds = options_.seconds});
    for (size_t i = 1; i < timings.size(); ++i) {
      report_.add({.name = c.name,
                   .pass = c.pass,
                   .dtype = c.dtype,
                   .shape = text_of(c.shape.rows, "x", c.shape.in, "x", c.shape.out),
                   .heed = timings[0],
                   .peer = timings[i],
                   .operations = c.operations,
                   .bytes = c.bytes});
    }
  }

 private:
  BenchOptions options_;
  Report report_;
};

// One layer and a batch for it.
struct Layer {
  Layer(const Shape& s, at::ScalarType type)
      : shape(s),
        input(at::randn({s.rows, s.in}).to(type)),
        weight((at::randn({s.out, s.in}) * 0.02).to(type)),
        bias(at::randn({s.out}).to(type)),
        grad(at::randn({s.rows, s.out}).to(type)) {}

  void require_gradients() {
    for (at::Tensor* t : {&input, &weight, &bias}) t->requires_grad_();
  }
  at::Tensor by_heed() const { return heed::linear(input, weight, bias, shape.activation); }
  at::Tensor by_torch() const {
    return activate(at::linear(input, weight, bias), shape.activation);
  }

  Shape shape;
  at::Tensor input, weight, bias, grad;
};

const char* name_of_type(at::ScalarType type) {
  return type == at::kFloat ? "float32" : "bfloat16";
}

std::string case_name(const Shape& s) {
  const bool plain = s.activation == Activation::kNone;
  return text_of("linear ", s.rows, "x", s.in, "x", s.out, plain ? "" : " ",
                 plain ? "" : name_of(s.activation));
}

// torch's own packed product, as the compiled graphs of torch.compile call it; none in some builds,
// nor for bfloat16 on a CPU without AVX-512.
std::optional<Contender> packed_onednn(const Layer& layer) {
  using Reorder = at::Tensor(const at::Tensor&, std::optional<int64_t>);
  using Product = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                             c10::string_view, c10::List<std::optional<at::Scalar>>,
                             std::optional<c10::string_view>);
  auto& dispatcher = c10::Dispatcher::singleton();
  const auto reorder = dispatcher.findSchema({"mkldnn::_reorder_linear_weight", ""});
  const auto product = dispatcher.findSchema({"mkldnn::_linear_pointwise", ""});
  if (!reorder || !product || layer.shape.activation != Activation::kNone) return {};
  const at::NoGradGuard no_grad;
  at::Tensor weight;
  try {
    weight = reorder->typed<Reorder>().call(layer.weight, layer.shape.rows);
  } catch (const c10::Error&) {
    return {};
  }
  const auto call = product->typed<Product>();
  return Contender{"onednn packed", [layer, weight, call] {
                     call.call(layer.input, weight, layer.bias, "none",
                               c10::List<std::optional<at::Scalar>>(), "");
                   }};
}

void forward(const Suite& suite, const Shape& s, at::ScalarType type) {
  Layer layer(s, type);
  const double operations = 2.0 * static_cast<double>(s.rows * s.in * s.out);
  {
    Case c{case_name(s), "inference", name_of_type(type), s, operations};
    c.heed = [&] {
      const at::NoGradGuard no_grad;
      layer.by_heed();
    };
    c.peers.push_back({"torch", [&] {
                         const at::NoGradGuard no_grad;
                         layer.by_torch();
                       }});
    if (auto packed = packed_onednn(layer)) c.peers.push_back(*packed);
    suite.run(c);
  }
  layer.require_gradients();
  Case c{case_name(s), "forward", name_of_type(type), s, operations};
  c.heed = [&] { layer.by_heed(); };
  c.peers.push_back({"torch", [&] { layer.by_torch(); }});
  suite.run(c);
}

void backward(const Suite& suite, const Shape& s, at::ScalarType type) {
  Layer layer(s, type);
  layer.require_gradients();
  const at::Tensor by_heed = layer.by_heed(), by_torch = layer.by_torch();
  const double operations = 2.0 * static_cast<double>(s.rows * s.in * s.out);
  const auto measure = [&](const char* pass, double count, const std::vector<at::Tensor>& wanted) {
    const auto gradients = [&layer, wanted](const at::Tensor& output) {
      torch::autograd::grad({output}, wanted, {layer.grad}, /*retain_graph=*/true);
    };
    Case c{case_name(s), pass, name_of_type(type), s, count};
    c.heed = [&] { gradients(by_heed); };
    c.peers.push_back({"torch", [&] { gradients(by_torch); }});
    suite.run(c);
  };
  measure("grad_input", operations, {layer.input});
  measure("grad_weight, grad_bias", operations, {layer.weight, layer.bias});
  measure("backward", 2 * operations, {layer.input, layer.weight, layer.bias});
}

// float32 parameters and input under bfloat16 autocast, forward and backward.
void autocast_step(const Suite& suite, const Shape& s) {
  Layer layer(s, at::kFloat);
  layer.require_gradients();
  const at::Tensor grad = layer.grad.to(at::kBFloat16);
  const auto step = [&](const std::function<at::Tensor()>& function) {
    at::Tensor output;
    {
      const c10::impl::IncludeDispatchKeyGuard autocast(c10::DispatchKey::AutocastCPU);
      at::autocast::set_autocast_enabled(at::kCPU, true);
      output = function();
      at::autocast::set_autocast_enabled(at::kCPU, false);
      at::autocast::clear_cache();
    }
    torch::autograd::grad({output}, {layer.input, layer.weight, layer.bias}, {grad});
  };
  Case c{case_name(s), "autocast, both", "bfloat16", s,
         6.0 * static_cast<double>(s.rows * s.in * s.out)};
  c.heed = [&] { step([&] { return layer.by_heed(); }); };
  c.peers.push_back({"torch", [&] { step([&] { return layer.by_torch(); }); }});
  suite.run(c);
}

// A few tokens, as in generation: the weights of a whole network go by before one of them comes
// again, so that they are read from memory and not from a cache.
void decode(const Suite& suite, const Shape& s, at::ScalarType type) {
  constexpr double kNetworkBytes = 128 << 20;
  std::vector<Layer> layers;
  double bytes = 0;
  while (bytes < kNetworkBytes) {
    layers.emplace_back(s, type);
    bytes += static_cast<double>(layers.back().weight.nbytes());
  }
  const at::NoGradGuard no_grad;
  Case c{text_of("decode ", s.rows, "x", s.in, "x", s.out), "decode", name_of_type(type), s,
         2.0 * static_cast<double>(s.rows * s.in * s.out) * static_cast<double>(layers.size())};
  if (s.rows <= 8) c.bytes = bytes;
  c.heed = [&] {
    for (const Layer& layer : layers) layer.by_heed();
  };
  c.peers.push_back({"torch", [&] {
                       for (const Layer& layer : layers) layer.by_torch();
                     }});
  std::vector<Contender> packed;
  for (const Layer& layer : layers) {
    if (auto one = packed_onednn(layer)) packed.push_back(*one);
  }
  if (!packed.empty()) {
    c.peers.push_back({packed[0].name, [&] {
                         for (const Contender& each : packed) each.run();
                       }});
  }
  suite.run(c);
}

void run_all(const BenchOptions& options) {
  const Suite suite(options);
  const std::vector<Shape> shapes = {
      {2048, 768, 768},                      // the reference
      {1600, 256, 768},                      // the classifier of `make demo`: q, k, v
      {1600, 256, 1024, Activation::kRelu},  // and its feed-forward
      {1600, 1024, 256},
      {2048, 384, 1536, Activation::kGelu},  // character GPT
      {4096, 128, 384},
      {1024, 768, 3072, Activation::kGelu},  // BERT-base
      {32, 768, 3072},
  };
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const Shape& s : shapes) {
      forward(suite, s, type);
      backward(suite, s, type);
    }
  }
  for (const Shape& s : shapes) autocast_step(suite, s);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const int64_t rows : {1, 2, 4, 8, 16, 32}) {
      decode(suite, {rows, 768, 2304}, type);  // GPT-2 124M
      decode(suite, {rows, 768, 768}, type);
      decode(suite, {rows, 768, 3072}, type);
      decode(suite, {rows, 3072, 768}, type);
      decode(suite, {rows, 768, 50257}, type);
    }
  }
}

}  // namespace
}  // namespace heed::bench

int main(int argc, char** argv) {
  try {
    const auto options = heed::bench::parse_options(
        argc, argv, "heed_bench_linear: heed::linear against torch's products");
    heed::bench::run_all(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
