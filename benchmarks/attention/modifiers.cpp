// What dropout, softcap, learned biases and other scores cost, against Heed without them.
#include <ATen/ATen.h>

#include <cmath>

#include "benchmarks/attention/cases.h"

namespace heed::bench {
namespace {

constexpr Sizes kSizes{.batch = 4, .heads = 12, .length = 512, .size = 64};

at::Tensor learned(at::IntArrayRef shape, double scale = 0.1) {
  return (at::randn(shape) * scale).requires_grad_();
}

// A side made of options, and of the tensors in them that are learned.
struct Variant {
  AttentionOptions options;
  std::vector<at::Tensor> learned = {};
};
using MakeVariant = std::function<Variant()>;

Variant with_softcap() { return {.options = {.softcap = 30}}; }

Variant with_alibi() {
  const auto slopes = at::pow(2.0, at::arange(1, kSizes.heads + 1) * -0.5).requires_grad_();
  return {.options = {.alibi_slopes = slopes}, .learned = {slopes}};
}

Variant with_relative_bias() {
  const auto table = learned({kSizes.heads, 2 * 128 + 1});
  return {.options = {.relative_bias = RelativeBias{table}}, .learned = {table}};
}

Variant with_dense_bias() {
  const auto bias = learned({1, kSizes.heads, kSizes.length, kSizes.length});
  return {.options = {.bias = bias}, .learned = {bias}};
}

Variant with_dropout() { return {.options = {.dropout = 0.1, .dropout_seed = 1}}; }

Variant with_cosine() {
  const auto temperature = at::full({kSizes.heads}, 10.0).requires_grad_();
  return {.options = {.score = Cosine{temperature}}, .learned = {temperature}};
}

Case variant_case(const std::string& name, const std::string& pass, double most,
                  const MakeVariant& make) {
  return {.name = name,
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(kSizes),
          .peer = name == "cosine" ? "Heed, scaled dot" : "Heed, without",
          .goals = {{Measure::kTimeRatio, most}},
          .make = [=] {
            const Variant variant = make();
            Side side = heed_side(variant.options);
            side.learned = variant.learned;
            const Inputs inputs = make_inputs(kSizes);
            return Trial{.heed = run_of(pass, inputs, side),
                         .peer = run_of(pass, inputs, heed_side()),
                         .same_result = false,
                         .operations = operations_of(pass, kSizes, full_pairs(kSizes))};
          }};
}

Case dropout_against_torch(const std::string& pass) {
  return {.name = "dropout 0.1",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(kSizes),
          .peer = "SDPA with dropout",
          .goals = {},
          .make = [=] {
            const Inputs inputs = make_inputs(kSizes);
            return Trial{.heed = run_of(pass, inputs, heed_side(with_dropout().options)),
                         .peer = run_of(pass, inputs, sdpa_side({.dropout = 0.1})),
                         .same_result = false,
                         .operations = operations_of(pass, kSizes, full_pairs(kSizes))};
          }};
}

// The formula as one writes it in torch: (B, H, Nq, Nk, D) in between.
at::Tensor additive_formula(const Inputs& in, const at::Tensor& v) {
  const auto sums = in.query.unsqueeze(3) + in.key.unsqueeze(2);
  const auto scores = (at::tanh(sums) * v.view({1, v.size(0), 1, 1, v.size(1)})).sum(-1);
  return at::matmul(at::softmax(scores, -1), in.value);
}

Case additive_case(const std::string& pass) {
  const Sizes sizes{.batch = 1, .heads = 8, .length = 512, .size = 64};
  return {.name = "additive",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "eager formula",
          .goals = {},
          .make = [=] {
            const auto v = learned({sizes.heads, sizes.size});
            Side side = heed_side({.score = Additive{v}});
            side.learned = {v};
            const Side peer{.attend = [v](const Inputs& in) { return additive_formula(in, v); },
                            .learned = {v}};
            const Inputs inputs = make_inputs(sizes);
            return Trial{.heed = run_of(pass, inputs, side), .peer = run_of(pass, inputs, peer)};
          }};
}

}  // namespace

std::vector<Case> modifier_cases() {
  std::vector<Case> cases;
  for (const char* pass : {"forward", "backward"}) {
    cases.push_back(variant_case("dropout 0.1", pass, 1.2, with_dropout));
    cases.push_back(dropout_against_torch(pass));
    cases.push_back(variant_case("softcap", pass, 1.25, with_softcap));
    cases.push_back(variant_case("ALiBi", pass, 1.25, with_alibi));
    cases.push_back(variant_case("relative bias", pass, 1.25, with_relative_bias));
    cases.push_back(variant_case("dense bias", pass, 1.25, with_dense_bias));
    cases.push_back(variant_case("cosine", pass, 1.15, with_cosine));
  }
  cases.push_back(additive_case("forward"));
  cases.push_back(additive_case("forward+backward"));
  return cases;
}

}  // namespace heed::bench
