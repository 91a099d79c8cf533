// What the conformance tests run over: lists of scores, patterns and modifiers, random inputs for
// them, and the rule by which a result is judged.
//
// The rule: the largest error of the fused result against double precision is at most twice that
// of the same formula in plain torch in the same dtype, plus kFloorUlps units in the last place of
// the largest number that goes into a sum (plain torch is now and then exact by luck, as with a
// single key, where nothing can be at most twice as wrong).
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "heed/ops/attention.h"
#include "heed/ops/attention_math.h"

namespace heed::conformance {

inline constexpr double kFloorUlps = 2;

// --- the lists ----------------------------------------------------------------------------------

struct Sizes {
  int64_t batch = 2;
  int64_t heads = 4;
  int64_t key_heads = 4;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t size = 16;
  int64_t value_size = 16;
};

inline at::Tensor randn(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

inline at::Tensor longs(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong);
}

// Of learned tensors every name stands for one argument; undefined where the case has none.
struct Inputs {
  at::Tensor query, key, value, parameter, slopes, table, bias;

  std::vector<std::pair<const char*, at::Tensor*>> named() {
    return {{"query", &query},   {"key", &key},     {"value", &value}, {"parameter", &parameter},
            {"slopes", &slopes}, {"table", &table}, {"bias", &bias}};
  }
};

struct ScoreCase {
  const char* name;
  std::function<at::Tensor(const Sizes&)> parameter;
  std::function<Score(const at::Tensor& parameter)> make;
  // The largest number that the parameter is multiplied with; null: 1.
  std::function<double(const at::Tensor& query, const at::Tensor& key)> factor = nullptr;
};

inline const std::vector<ScoreCase>& scores() {
  static const std::vector<ScoreCase> list = {
      {"dot", nullptr, [](const at::Tensor&) { return Dot{}; }},
      {"scaled_dot", nullptr, [](const at::Tensor&) { return ScaledDot{}; }},
      {"cosine", [](const Sizes& n) { return randn({n.heads}) * 3; },
       [](const at::Tensor& p) { return Cosine{p}; }},
      {"additive",
       [](const Sizes& n) {
         return randn({n.heads, n.size});
       },
       [](const at::Tensor& p) { return Additive{p}; }},
      {"leaky",
       [](const Sizes& n) {
         return randn({n.heads, n.size});
       },
       [](const at::Tensor& p) {
         return NamedScore{"leaky", p};
       },
       [](const at::Tensor& query, const at::Tensor& key) {
         return (query.abs().max() + key.abs().max()).item<double>();
       }},
  };
  return list;
}

inline const ScoreCase& score_named(const std::string& name) {
  const auto found = std::find_if(scores().begin(), scores().end(),
                                  [&](const ScoreCase& one) { return one.name == name; });
  if (found == scores().end()) throw std::out_of_range("scores() has no " + name);
  return *found;
}

struct PatternCase {
  const char* name;
  std::function<Pattern(const Sizes&)> make;
};

inline at::Tensor random_mask(at::IntArrayRef shape, double share) {
  return at::rand(shape, at::kDouble) < share;
}

inline Pattern random_graph(const Sizes& n) {
  const auto dense = random_mask({n.queries, n.keys}, 0.2);
  const auto pairs = dense.nonzero();
  const auto counts = dense.sum(1);
  return Pattern::graph({.offsets = at::cat({longs({0}), counts.cumsum(0)}),
                         .columns = pairs.select(1, 1).contiguous()});
}

inline const std::vector<PatternCase>& patterns() {
  static const std::vector<PatternCase> list = {
      {"full", [](const Sizes&) { return Pattern::full(); }},
      {"causal", [](const Sizes&) { return Pattern::causal(); }},
      {"causal top left", [](const Sizes&) { return Pattern::causal(Alignment::kTopLeft); }},
      {"window", [](const Sizes&) { return Pattern::window({.left = 9, .right = 5}); }},
      {"window to the left",
       [](const Sizes&) { return Pattern::window({.left = 20, .right = 0}); }},
      {"dilated",
       [](const Sizes&) { return Pattern::dilated({.left = 4, .right = 2, .dilation = 3}); }},
      {"global or window",
       [](const Sizes&) {
         return Pattern::global_tokens(3) | Pattern::window({.left = 4, .right = 4});
       }},
      {"prefix",
       [](const Sizes& n) {
         return Pattern::prefix_lm(longs({n.keys / 2, n.keys / 5}));
       }},
      {"block sparse",
       [](const Sizes& n) {
         const int64_t rows = (n.queries + 15) / 16;
         const int64_t columns = (n.keys + 31) / 32;
         return Pattern::block_sparse({.allowed = random_mask({1, n.heads, rows, columns}, 0.5),
                                       .query_block = 16,
                                       .key_block = 32});
       }},
      {"graph", random_graph},
      {"packed",
       [](const Sizes& n) {
         return Pattern::packed(
             {.query = longs({0, n.queries / 3, n.queries / 3, n.queries / 2, n.queries}),
              .key = longs({0, n.keys / 4, n.keys / 3, n.keys / 2, n.keys * 7 / 8})});
       }},
      {"padded",
       [](const Sizes& n) {
         return Pattern::padded({.key = longs({n.keys, n.keys / 3})});
       }},
      {"padded on both sides",
       [](const Sizes& n) {
         return Pattern::padded({.key = longs({n.keys * 2 / 3, n.keys}),
                                 .query = longs({n.queries * 2 / 3, n.queries})});
       }},
      {"mask",
       [](const Sizes& n) {
         return Pattern::from_mask(random_mask({n.batch, n.heads, n.queries, n.keys}, 0.6));
       }},
      {"torch padding mask",
       [](const Sizes& n) {
         return Pattern::from_torch_padding_mask(random_mask({n.batch, n.keys}, 0.3));
       }},
      {"causal and padded",
       [](const Sizes& n) {
         return Pattern::causal() & Pattern::padded({.key = longs({n.keys, n.keys / 2})});
       }},
  };
  return list;
}

struct ModifierCase {
  const char* name;
  bool softcap = false, slopes = false, table = false, bias = false;
};

inline const std::vector<ModifierCase>& modifiers() {
  static const std::vector<ModifierCase> list = {
      {.name = "none"},
      {.name = "softcap", .softcap = true},
      {.name = "alibi", .slopes = true},
      {.name = "relative bias", .table = true},
      {.name = "dense bias", .bias = true},
      {.name = "all", .softcap = true, .slopes = true, .table = true, .bias = true},
  };
  return list;
}

// --- one case -----------------------------------------------------------------------------------

struct Case {
  const ScoreCase* score = nullptr;
  Pattern pattern;
  std::string pattern_name;
  ModifierCase modifier;
  Sizes sizes;
  double dropout = 0;
  at::ScalarType type = at::kFloat;
  int bias_shape = 0;

  std::string text() const {
    const auto& n = sizes;
    return std::string(score->name) + ", " + pattern_name + ", " + modifier.name + ", " +
           at::toString(type) + ", B " + std::to_string(n.batch) + " H " + std::to_string(n.heads) +
           "/" + std::to_string(n.key_heads) + " N " + std::to_string(n.queries) + "/" +
           std::to_string(n.keys) + " D " + std::to_string(n.size) + "/" +
           std::to_string(n.value_size) + ", dropout " + std::to_string(dropout) + ", bias " +
           std::to_string(bias_shape);
  }
};

inline std::vector<int64_t> bias_shape(const Case& one) {
  const auto& n = one.sizes;
  const std::vector<std::vector<int64_t>> shapes = {{n.batch, n.heads, n.queries, n.keys},
                                                    {n.heads, n.queries, n.keys},
                                                    {n.batch, 1, 1, n.keys},
                                                    {n.queries, n.keys},
                                                    {1, n.heads, n.queries, 1}};
  return shapes[one.bias_shape % shapes.size()];
}

// Random inputs in double that the dtype of the case holds exactly; what is learned is float32.
inline Inputs random_inputs(const Case& one) {
  const auto& n = one.sizes;
  const auto in_type = [&](const at::Tensor& t) { return t.to(one.type).to(at::kDouble); };
  const auto learned = [&](const at::Tensor& t) { return t.to(at::kFloat).to(at::kDouble); };
  Inputs in{.query = in_type(randn({n.batch, n.heads, n.queries, n.size})),
            .key = in_type(randn({n.batch, n.key_heads, n.keys, n.size})),
            .value = in_type(randn({n.batch, n.key_heads, n.keys, n.value_size}))};
  if (one.score->parameter) in.parameter = learned(one.score->parameter(n));
  if (one.modifier.slopes) in.slopes = learned(randn({n.heads}) * 0.1);
  if (one.modifier.table) in.table = learned(randn({n.heads, 11}));
  if (one.modifier.bias) in.bias = in_type(randn(bias_shape(one)));
  return in;
}

// The same values as leaves: query, key, value and bias in `type`, what is learned in `precise`.
inline Inputs leaves(Inputs in, at::ScalarType type) {
  const auto precise = type == at::kDouble ? at::kDouble : at::kFloat;
  for (auto& [name, tensor] : in.named()) {
    if (!tensor->defined()) continue;
    const bool learned = tensor == &in.parameter || tensor == &in.slopes || tensor == &in.table;
    *tensor = tensor->detach().to(learned ? precise : type).clone().requires_grad_();
  }
  return in;
}

inline AttentionOptions options_of(const Case& one, const Inputs& in) {
  AttentionOptions options{.score = one.score->make(in.parameter), .pattern = one.pattern};
  if (one.modifier.softcap) options.softcap = 2;
  if (in.slopes.defined()) options.alibi_slopes = in.slopes;
  if (in.table.defined()) options.relative_bias = RelativeBias{in.table};
  if (in.bias.defined()) options.bias = in.bias;
  options.dropout = one.dropout;
  options.dropout_seed = 77;
  return options;
}

// --- results and the rule -----------------------------------------------------------------------

struct Named {
  std::string name;
  at::Tensor tensor;  // in double
};

// What the loss multiplies output and log-sum-exp with.
struct Upstream {
  at::Tensor output, log_sum_exp;
};

inline Upstream random_upstream(const Case& one) {
  const auto& n = one.sizes;
  const auto in_type = [&](const at::Tensor& t) { return t.to(one.type).to(at::kDouble); };
  return {in_type(randn({n.batch, n.heads, n.queries, n.value_size})),
          randn({n.batch, n.heads, n.queries}).to(at::kFloat).to(at::kDouble)};
}

using Run = std::function<AttentionResult(const Inputs& in, const AttentionOptions& options)>;

// Output, log-sum-exp and all gradients of leaves `in`, in double.
inline std::vector<Named> results_of(const Case& one, Inputs in, const Upstream& upstream,
                                     const Run& run) {
  const auto result = run(in, options_of(one, in));
  std::vector<Named> all = {{"output", result.output.detach().to(at::kDouble)},
                            {"log-sum-exp", result.log_sum_exp.detach().to(at::kDouble)}};
  // Rows without keys have −inf, which nothing may be multiplied with.
  const auto dead = result.log_sum_exp.detach() == -INFINITY;
  const auto grad_lse =
      upstream.log_sum_exp.to(result.log_sum_exp.scalar_type()).masked_fill(dead, 0);
  torch::autograd::variable_list inputs;
  std::vector<const char*> names;
  for (auto& [name, tensor] : in.named()) {
    if (!tensor->defined() || !tensor->requires_grad()) continue;
    inputs.push_back(*tensor);
    names.push_back(name);
  }
  const auto grads =
      torch::autograd::grad({result.output, result.log_sum_exp}, inputs,
                            {upstream.output.to(result.output.scalar_type()), grad_lse});
  for (size_t i = 0; i < grads.size(); ++i) {
    all.push_back({std::string("gradient of ") + names[i], grads[i].to(at::kDouble)});
  }
  return all;
}

inline std::vector<Named> truth_of(const Case& one, const Inputs& in, const Upstream& upstream) {
  return results_of(one, leaves(in, at::kDouble), upstream,
                    [](const Inputs& x, const AttentionOptions& options) {
                      return attention_math(x.query, x.key, x.value, options);
                    });
}

inline std::vector<Named> plain_of(const Case& one, const Inputs& in, const Upstream& upstream) {
  return results_of(one, leaves(in, one.type), upstream,
                    [&](const Inputs& x, const AttentionOptions& options) {
                      return attention_math_in(x.query, x.key, x.value, options, one.type);
                    });
}

inline std::vector<Named> fused_of(const Case& one, const Inputs& in, const Upstream& upstream) {
  return results_of(one, leaves(in, one.type), upstream,
                    [](const Inputs& x, const AttentionOptions& options) {
                      return attention(x.query, x.key, x.value, options);
                    });
}

inline double largest(const at::Tensor& tensor) {
  const auto finite = tensor.masked_select(tensor.isfinite());
  return finite.numel() == 0 ? 0 : finite.abs().max().item<double>();
}

// The largest |a − b|; infinite where they differ in what is not finite.
inline double error_of(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  const auto finite = b.isfinite();
  const auto same = at::where(finite, a.isfinite(), (a == b) | (a.isnan() & b.isnan()));
  if (!same.all().item<bool>()) return INFINITY;
  return largest((a - b).masked_select(finite));
}

// The largest number that goes into the sums of a result: of a gradient, the largest of dP (the
// gradient of a weight) times what it is multiplied with.
inline double term_of(const std::string& name, const Case& one, const Inputs& in,
                      const Upstream& upstream) {
  const double weight = largest(upstream.output) * largest(in.value) *
                            std::sqrt(static_cast<double>(one.sizes.value_size)) +
                        largest(upstream.log_sum_exp);
  const bool bounded = one.score->parameter != nullptr;  // cosine, additive: slopes of q and k <= p
  const double slope = bounded ? largest(in.parameter) : 1;
  if (name == "output") return largest(in.value);
  if (name == "gradient of value") return largest(upstream.output);
  if (name == "gradient of query") return weight * (bounded ? slope : largest(in.key));
  if (name == "gradient of key") return weight * (bounded ? slope : largest(in.query));
  if (name == "gradient of slopes") {
    return weight * static_cast<double>(std::max(one.sizes.queries, one.sizes.keys));
  }
  if (name == "gradient of parameter" && one.score->factor) {
    return weight * one.score->factor(in.query, in.key);
  }
  return name == "log-sum-exp" ? 1 : weight;
}

inline double ulp(at::ScalarType type) { return type == at::kBFloat16 ? 0x1p-8 : 0x1p-23; }

// Judges fused results; adds a failure for each that breaks the rule.
inline void expect_rule(const Case& one, const Inputs& in, const Upstream& upstream,
                        const std::vector<Named>& fused) {
  const auto truth = truth_of(one, in, upstream);
  const auto plain = plain_of(one, in, upstream);
  ASSERT_EQ(truth.size(), fused.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto& name = truth[i].name;
    const double error = error_of(fused[i].tensor, truth[i].tensor);
    const double plain_error = error_of(plain[i].tensor, truth[i].tensor);
    const double scale = std::max(largest(truth[i].tensor), term_of(name, one, in, upstream));
    const double bound = 2 * plain_error + kFloorUlps * ulp(one.type) * scale;
    EXPECT_LE(error, bound) << name << " of " << one.text() << ": plain torch is wrong by "
                            << plain_error << ", the scale is " << scale;
  }
}

}  // namespace heed::conformance
