// Random calls of attention against a formula written apart, plain_attention(). A few hundred in
// each run of the tests; more with HEED_RANDOM_CASES=COUNT and HEED_RANDOM_SEED=FIRST, one again
// with HEED_RANDOM_CASE='seed=3 type=0 …', the line that a failure prints.
// ctest-timeout: 900
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdlib>
#include <sstream>

#include "heed/base/error.h"
#include "heed/ops/testing/random_patterns.h"

namespace heed::conformance {

std::string text_of_case(const RandomCase& one) {
  std::string text;
  for (size_t i = 0; i < kFields; ++i) {
    text += text_of(i > 0 ? " " : "", kFieldNames[i], "=", one.value[i]);
  }
  return text;
}

RandomCase case_from(std::string_view text) {
  RandomCase one;
  std::istringstream words{std::string(text)};
  for (size_t i = 0; i < kFields; ++i) {
    std::string word;
    words >> word;
    const std::string begin = std::string(kFieldNames[i]) + "=";
    check_usage(word.rfind(begin, 0) == 0, "HEED_RANDOM_CASE: expected ", begin, "…, got '", word,
                "'");
    one.value[i] = std::stoll(word.substr(begin.size()));
  }
  return one;
}

namespace {

// splitmix64 (Steele et al. 2014).
struct Numbers {
  uint64_t state;
  int64_t below(int64_t count) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<int64_t>((z ^ (z >> 31)) % static_cast<uint64_t>(count));
  }
  bool once_in(int64_t times) { return below(times) == 0; }
  // Short ones, ones beside the edges of blocks, and ones of several blocks.
  int64_t length() {
    switch (below(3)) {
      case 0:
        return 1 + below(40);
      case 1:
        return 64 * (1 + below(6)) - 1 + below(3);
      default:
        return 1 + below(700);
    }
  }
};

constexpr int64_t kMostWork = 3'000'000;  // numbers that the plain formula holds at a time

int64_t work_of(const RandomCase& c) {
  const int64_t depth = c[kScore] >= 3 ? c[kSize] : 4;
  return c[kBatch] * c.heads() * c[kQueries] * c[kKeys] * depth;
}

}  // namespace

RandomCase random_case(uint64_t seed) {
  Numbers n{seed};
  RandomCase c;
  auto& v = c.value;
  v[kSeed] = static_cast<int64_t>(seed);
  v[kType] = n.once_in(4) ? 1 : 0;
  v[kScore] = n.below(5);
  v[kPatternKind] = n.below(kPatternKinds);
  v[kSoftcap] = n.once_in(3) ? 1 : 0;
  v[kSlopes] = n.once_in(3) ? 1 : 0;
  v[kTable] = n.once_in(2) ? 1 + n.below(2) : 0;
  v[kBias] = n.once_in(3) ? 1 + n.below(5) : 0;
  v[kBatch] = 1 + n.below(2);
  v[kKeyHeads] = 1 + n.below(2);
  v[kGroup] = 1 + n.below(3);
  v[kQueries] = n.length();
  v[kKeys] = n.length();
  v[kSize] = 1 + n.below(72);
  v[kValueSize] = 1 + n.below(72);
  v[kReach] = n.once_in(2) ? n.below(8) : n.below(300);
  v[kDropout] = n.once_in(3) ? 1 + n.below(3) : 0;
  v[kTopLeft] = n.below(2);
  v[kInputScale] = n.once_in(2) ? 0 : n.below(static_cast<int64_t>(kInputScales.size()));
  v[kLayout] = n.below(3);
  v[kA] = n.below(700);
  v[kB] = n.below(700);
  v[kC] = n.below(700);
  while (work_of(c) > kMostWork) {
    Field longest = v[kQueries] > v[kKeys] ? kQueries : kKeys;
    if (v[longest] < 200 && c.heads() * v[kBatch] > 1) {
      longest = v[kGroup] > 1 ? kGroup : v[kKeyHeads] > 1 ? kKeyHeads : kBatch;
    }
    v[longest] = (v[longest] + 1) / 2;
  }
  return c;
}

namespace {

at::Tensor laid_out(const at::Tensor& tensor, int64_t layout) {
  if (layout == 1) return tensor.transpose(1, 2).contiguous().transpose(1, 2);
  if (layout == 2) return at::stack({tensor, tensor}, 3).flatten(2, 3).slice(2, 0, {}, 2);
  return tensor;
}

}  // namespace

MadeCase made_of(const RandomCase& c) {
  at::manual_seed(static_cast<uint64_t>(c[kSeed]));
  MadeCase made;
  made.type = c[kType] == 1 ? at::kBFloat16 : at::kFloat;
  const int64_t b = c[kBatch], h = c.heads(), q = c[kQueries], k = c[kKeys];
  const auto random = [](at::IntArrayRef sizes, at::ScalarType type, double scale = 1) {
    return (at::randn(sizes, at::kDouble) * scale).to(type).to(at::kDouble);
  };
  const double scale = kInputScales[static_cast<size_t>(c[kInputScale])];
  PlainInputs& in = made.inputs;
  in.query = random({b, h, q, c[kSize]}, made.type, scale);
  in.key = random({b, c[kKeyHeads], k, c[kSize]}, made.type, scale);
  in.value = random({b, c[kKeyHeads], k, c[kValueSize]}, made.type);
  if (c[kScore] == 2) in.parameter = random({h}, at::kFloat, 3);
  if (c[kScore] >= 3) in.parameter = random({h, c[kSize]}, at::kFloat);
  if (c[kSlopes] == 1) in.slopes = random({h}, at::kFloat, 0.1);
  if (c[kTable] > 0) in.table = random({c[kTable] == 1 ? h : 1, 2 * c[kReach] + 1}, at::kFloat);
  const std::vector<std::vector<int64_t>> bias_shapes = {
      {b, h, q, k}, {h, 1, k}, {b, 1, 1, k}, {q, k}, {1, h, q, 1}};
  if (c[kBias] > 0) {
    in.bias = random(bias_shapes[static_cast<size_t>(c[kBias] - 1)], made.type);
  }
  made.grad_output = random({b, h, q, c[kValueSize]}, made.type);
  made.grad_log_sum_exp = random({b, h, q}, at::kFloat);
  const auto [pattern, mask] = Sentences{c}.made();
  made.pattern = pattern;
  constexpr std::array<const char*, 5> kKernelNames = {"dot", "dot", "cosine", "additive", "leaky"};
  constexpr std::array<double, 4> kShares = {0, 0.1, 0.5, 0.9};
  made.plain = {.score = kKernelNames[static_cast<size_t>(c[kScore])],
                .scale = c[kScore] == 1 ? 1 / std::sqrt(static_cast<double>(c[kSize])) : 1,
                .softcap = c[kSoftcap] == 1 ? 3.0 : 0,
                .query_offset = c[kTopLeft] == 1 ? 0 : k - q,
                .allowed = mask,
                .dropout = {.probability = kShares[static_cast<size_t>(c[kDropout])],
                            .seed = static_cast<uint64_t>(c[kSeed])}};
  return made;
}

namespace {

struct Result {
  std::string name;
  at::Tensor tensor;  // in double
};

using Run = std::function<AttentionResult(const PlainInputs& leaves)>;

// Output, log-sum-exp and gradients of all inputs, which are given to `run` as leaves.
std::vector<Result> results_of(const MadeCase& made, at::ScalarType type, int64_t layout,
                               const Run& run) {
  const auto precise = type == at::kDouble ? at::kDouble : at::kFloat;
  PlainInputs in = made.inputs;
  const std::vector<std::pair<const char*, at::Tensor*>> named = {
      {"query", &in.query},   {"key", &in.key},
      {"value", &in.value},   {"parameter", &in.parameter},
      {"slopes", &in.slopes}, {"table", &in.table},
      {"bias", &in.bias}};
  torch::autograd::variable_list leaves;
  std::vector<Result> all(2);
  for (const auto& [name, tensor] : named) {
    if (!tensor->defined()) continue;
    const bool learned = tensor == &in.parameter || tensor == &in.slopes || tensor == &in.table;
    *tensor = tensor->to(learned ? precise : type).clone();
    if (tensor->dim() == 4 && tensor != &in.bias) *tensor = laid_out(*tensor, layout);
    *tensor = tensor->detach().requires_grad_();
    leaves.push_back(*tensor);
    all.push_back({std::string("gradient of ") + name, {}});
  }
  const AttentionResult result = run(in);
  const at::Tensor dead = result.log_sum_exp.detach() == -INFINITY;
  const auto gradients = torch::autograd::grad(
      {result.output, result.log_sum_exp}, leaves,
      {made.grad_output.to(result.output.scalar_type()),
       made.grad_log_sum_exp.to(result.log_sum_exp.scalar_type()).masked_fill(dead, 0)},
      {}, false, /*allow_unused=*/true);
  all[0] = {"output", result.output.detach().to(at::kDouble)};
  all[1] = {"log-sum-exp", result.log_sum_exp.detach().to(at::kDouble)};
  for (size_t i = 0; i < leaves.size(); ++i) {
    const auto& grad = gradients[i].defined() ? gradients[i] : at::zeros_like(leaves[i]);
    all[i + 2].tensor = grad.to(at::kDouble);
  }
  return all;
}

AttentionResult by_heed(const RandomCase& c, const MadeCase& made, const PlainInputs& in) {
  AttentionOptions o{.pattern = made.pattern};
  if (c[kScore] == 0) o.score = Dot{};
  if (c[kScore] == 2) o.score = Cosine{in.parameter};
  if (c[kScore] == 3) o.score = Additive{in.parameter};
  if (c[kScore] == 4) o.score = NamedScore{"leaky", in.parameter};
  o.softcap = made.plain.softcap;
  if (in.slopes.defined()) o.alibi_slopes = in.slopes;
  if (in.table.defined()) o.relative_bias = RelativeBias{in.table};
  if (in.bias.defined()) o.bias = in.bias;
  o.alignment = c[kTopLeft] == 1 ? Alignment::kTopLeft : Alignment::kBottomRight;
  o.dropout = made.plain.dropout.probability;
  o.dropout_seed = made.plain.dropout.seed;
  return attention(in.query, in.key, in.value, o);
}

// The root of the mean square; infinite where the two differ in what is not finite.
double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  const auto finite = b.isfinite();
  if (!at::where(finite, a.isfinite(), a == b).all().item<bool>()) return INFINITY;
  return at::where(finite, a - b, at::zeros_like(a)).square().mean().sqrt().item<double>();
}

double largest(const at::Tensor& tensor) {
  return tensor.defined() && tensor.numel() > 0 ? tensor.abs().max().item<double>() : 0;
}

// About the largest number that goes into the sums of a result: plain torch is now and then exact
// by luck, as with a single key, where nothing can be at most twice as wrong.
double term_of(const std::string& name, const MadeCase& made) {
  const PlainInputs& in = made.inputs;
  const double share = 1 / (1 - made.plain.dropout.probability);
  if (name == "output") return share * largest(in.value);
  if (name == "log-sum-exp") return 1;
  if (name == "gradient of value") return share * largest(made.grad_output);
  const double weight = share * largest(made.grad_output) * largest(in.value) *
                            std::sqrt(static_cast<double>(in.value.size(3))) +
                        largest(made.grad_log_sum_exp);
  const bool dot = made.plain.score == "dot";
  if (name == "gradient of query") {
    return weight * (dot ? made.plain.scale * largest(in.key) : largest(in.parameter));
  }
  if (name == "gradient of key") {
    return weight * (dot ? made.plain.scale * largest(in.query) : largest(in.parameter));
  }
  if (name == "gradient of parameter" && made.plain.score == "leaky") {
    return weight * (largest(in.query) + largest(in.key));  // what stands beside it is not bounded
  }
  const int64_t longest = std::max(in.query.size(2), in.key.size(2));
  return name == "gradient of slopes" ? weight * static_cast<double>(longest) : weight;
}

}  // namespace

std::string judged(const RandomCase& c) {
  const MadeCase made = made_of(c);
  const auto plain = [&](at::ScalarType type) {
    return results_of(made, type, 0,
                      [&](const PlainInputs& in) { return plain_attention(in, made.plain); });
  };
  const auto truth = plain(at::kDouble);
  const auto torch = plain(made.type);
  const auto heed = results_of(made, made.type, c[kLayout],
                               [&](const PlainInputs& in) { return by_heed(c, made, in); });
  const double ulp = made.type == at::kBFloat16 ? 0x1p-8 : 0x1p-23;
  std::string wrong;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double error = distance(heed[i].tensor, truth[i].tensor);
    const double torch_error = distance(torch[i].tensor, truth[i].tensor);
    const double floor = 2 * ulp * term_of(truth[i].name, made);
    if (error <= 2 * torch_error + floor) continue;
    wrong += text_of("  ", truth[i].name, ": wrong by ", error, ", plain torch by ", torch_error,
                     ", and ", floor, " is forgiven\n");
  }
  return wrong;
}

RandomCase shrunk(RandomCase one) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (size_t i = kType; i < kFields; ++i) {
      const int64_t now = one.value[i];
      for (const int64_t next : {kSmallest[i], (now + kSmallest[i]) / 2, now - 1}) {
        if (next >= now || next < kSmallest[i]) continue;
        RandomCase less = one;
        less.value[i] = next;
        if (judged(less).empty()) continue;
        one = less;
        smaller = true;
        break;
      }
    }
  }
  return one;
}

namespace {

void expect_right(const RandomCase& one) {
  if (judged(one).empty()) return;
  const RandomCase small = shrunk(one);
  ADD_FAILURE() << judged(small) << "  again: HEED_RANDOM_CASE='" << text_of_case(small) << "'";
}

int64_t number_from(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoll(text);
}

TEST(RandomConformance, AgainstAFormulaWrittenApart) {
  if (const char* text = std::getenv("HEED_RANDOM_CASE")) return expect_right(case_from(text));
  const int64_t first = number_from("HEED_RANDOM_SEED", 1);
  const int64_t count = number_from("HEED_RANDOM_CASES", 300);
  for (int64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    expect_right(random_case(static_cast<uint64_t>(seed)));
  }
}

TEST(RandomConformance, ACaseIsReadAsItIsWritten) {
  const RandomCase one = random_case(7);
  EXPECT_EQ(case_from(text_of_case(one)).value, one.value);
}

}  // namespace
}  // namespace heed::conformance
