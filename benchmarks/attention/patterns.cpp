// Patterns that leave out most pairs: window, padded and packed lengths, graph.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "benchmarks/attention/cases.h"
#include "heed/base/error.h"

namespace heed::bench {
namespace {

constexpr int64_t kReach = 64;  // of the window, to either side

Pattern window_pattern() { return Pattern::window({.left = kReach, .right = kReach}); }

Case window_case(const std::string& pass) {
  const Sizes sizes{.batch = 1, .heads = 8, .length = 2048, .size = 64};
  return {.name = "window 64+64",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "SDPA with a mask",
          .goals = {{Measure::kSpeedup, 15}},
          .make = [=] {
            const auto position = at::arange(sizes.length);
            const auto distance = at::abs(position.unsqueeze(0) - position.unsqueeze(1));
            const Inputs inputs = make_inputs(sizes);
            const double pairs = window_pairs(sizes, kReach, kReach);
            return Trial{.heed = run_of(pass, inputs, heed_side({.pattern = window_pattern()})),
                         .peer = run_of(pass, inputs, sdpa_side({.mask = distance.le(kReach)})),
                         .operations = operations_of(pass, sizes, pairs)};
          }};
}

Case window_per_token_case(const std::string& pass, int64_t length) {
  const Sizes sizes{.batch = 1, .heads = 8, .length = length, .size = 64};
  Sizes least = sizes;
  least.length = 2048;
  return {.name = "window 64+64, per token",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "Heed, N2048",
          .goals = {{Measure::kRate, 0.95}},
          .make = [=] {
            const Side side = heed_side({.pattern = window_pattern()});
            const double pairs = window_pairs(sizes, kReach, kReach);
            return Trial{.heed = run_of(pass, make_inputs(sizes), side),
                         .peer = run_of(pass, make_inputs(least), side),
                         .same_result = false,
                         .operations = operations_of(pass, sizes, pairs),
                         .work = static_cast<double>(sizes.length),
                         .peer_work = static_cast<double>(least.length)};
          }};
}

// (B, 1, 1, N), true before the end of each sequence.
at::Tensor padding_mask(const at::Tensor& lengths, int64_t longest) {
  return at::arange(longest).unsqueeze(0).lt(lengths.unsqueeze(1)).unsqueeze(1).unsqueeze(1);
}

Case padded_case(const std::string& pass) {
  const Sizes sizes{.batch = 32, .heads = 4, .length = 50, .size = 64};
  return {.name = "padded lengths 10-50",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "SDPA with a mask",
          .goals = {{Measure::kSpeedup, 2}},
          .make = [=] {
            const auto lengths = at::randint(10, sizes.length + 1, {sizes.batch}, at::kLong);
            const auto pattern = Pattern::padded({.key = lengths});
            const auto mask = padding_mask(lengths, sizes.length);
            const Inputs inputs = make_inputs(sizes);
            const double pairs =
                at::mean(lengths, at::kDouble).item<double>() * static_cast<double>(sizes.length);
            return Trial{.heed = run_of(pass, inputs, heed_side({.pattern = pattern})),
                         .peer = run_of(pass, inputs, sdpa_side({.mask = mask})),
                         .operations = operations_of(pass, sizes, pairs)};
          }};
}

// Mostly short, some long: 16 to 512, the mean exactly 128.
std::vector<int64_t> uneven_lengths(int64_t count) {
  std::mt19937_64 random(7);
  std::exponential_distribution<double> excess(1.0 / 112);
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i) {
    lengths.push_back(std::min<int64_t>(512, 16 + static_cast<int64_t>(excess(random))));
  }
  lengths.front() = 512;
  int64_t missing = 128 * count;
  for (const int64_t length : lengths) missing -= length;
  for (size_t i = 1; missing != 0; i = i + 1 < lengths.size() ? i + 1 : 1) {
    const int64_t step = missing > 0 ? 1 : -1;
    if (lengths[i] + step < 16 || lengths[i] + step > 512) continue;
    lengths[i] += step;
    missing -= step;
  }
  return lengths;
}

// The sequences one after the other for Heed, filled up to the longest for SDPA.
Case packed_case(const std::string& pass) {
  const Sizes sizes{.batch = 32, .heads = 12, .length = 512, .size = 64};
  return {.name = "packed lengths 16-512, mean 128",
          .pass = pass,
          .dtype = "float32",
          .shape = "B32 H12 D64",
          .peer = "SDPA padded with a mask",
          .goals = {{Measure::kSpeedup, 3}},
          .make = [=] {
            const auto lengths = uneven_lengths(sizes.batch);
            std::vector<int64_t> offsets = {0};
            double pairs = 0;
            for (const int64_t length : lengths) {
              offsets.push_back(offsets.back() + length);
              pairs += static_cast<double>(length * length);
            }
            const Sizes row{1, sizes.heads, offsets.back(), sizes.size};
            const auto pattern = Pattern::packed({.query = at::tensor(offsets, at::kLong)});
            const auto mask = padding_mask(at::tensor(lengths, at::kLong), sizes.length);
            return Trial{.heed = run_of(pass, make_inputs(row), heed_side({.pattern = pattern})),
                         .peer = run_of(pass, make_inputs(sizes), sdpa_side({.mask = mask})),
                         .same_result = false,
                         .operations = operations_of(pass, row, pairs)};
          }};
}

// ---- graph ----

constexpr int64_t kNodes = 169'343;  // as many as ogbn-arxiv has
constexpr int64_t kEdges = 1'166'243;

// Random edges, none twice, ordered by target and then by source.
struct Edges {
  at::Tensor target, source, offsets;
};

Edges random_edges() {
  at::Tensor pairs = at::randint(kNodes * kNodes, {kEdges + kEdges / 100}, at::kLong);
  pairs = std::get<0>(at::_unique(pairs));
  pairs = pairs.index_select(0, at::randperm(pairs.size(0), at::kLong).narrow(0, 0, kEdges));
  pairs = std::get<0>(at::sort(pairs));
  Edges edges{.target = at::floor_divide(pairs, kNodes), .source = at::remainder(pairs, kNodes)};
  edges.offsets = at::searchsorted(edges.target, at::arange(kNodes + 1));
  return edges;
}

// Attention over edges by gather and scatter, on (1, H, N, D) whose memory is (N, H, D).
at::Tensor gather_scatter(const Inputs& in, const Edges& edges) {
  const auto rows = [](const at::Tensor& t) { return t.squeeze(0).transpose(0, 1); };
  const auto query = rows(in.query), key = rows(in.key), value = rows(in.value);
  const int64_t nodes = query.size(0), heads = query.size(1);
  const auto at_target = edges.target.unsqueeze(1).expand({-1, heads});
  const auto scores = (query.index_select(0, edges.target) * key.index_select(0, edges.source))
                          .sum(-1)
                          .mul(1 / std::sqrt(static_cast<double>(query.size(2))));
  const auto largest = at::full({nodes, heads}, -1e30, scores.options())
                           .scatter_reduce(0, at_target, scores.detach(), "amax");
  const auto weights = at::exp(scores - largest.index_select(0, edges.target));
  const auto sums = at::zeros_like(largest).scatter_add(0, at_target, weights);
  const auto shares = weights / sums.index_select(0, edges.target);
  const auto messages = shares.unsqueeze(-1) * value.index_select(0, edges.source);
  const auto output = at::zeros_like(value).index_add(0, edges.target, messages);
  return output.transpose(0, 1).unsqueeze(0);
}

Case graph_case(const std::string& pass, const std::vector<Goal>& goals) {
  const Sizes sizes{.batch = 1, .heads = 8, .length = kNodes, .size = 16};
  return {.name = "graph",
          .pass = pass,
          .dtype = "float32",
          .shape = "169343 nodes, 1166243 edges, H8 D16",
          .peer = "gather and scatter",
          .goals = goals,
          .make = [=] {
            const Edges edges = random_edges();
            const auto pattern =
                Pattern::graph({.offsets = edges.offsets, .columns = edges.source});
            const auto make = [&] {
              return at::randn({1, sizes.length, sizes.heads, sizes.size}).transpose(1, 2);
            };
            const Inputs inputs{make(), make(), make(), make()};
            const Side peer{[edges](const Inputs& in) { return gather_scatter(in, edges); }};
            return Trial{.heed = run_of(pass, inputs, heed_side({.pattern = pattern})),
                         .peer = run_of(pass, inputs, peer),
                         .operations = operations_of(pass, sizes, static_cast<double>(kEdges))};
          }};
}

}  // namespace

std::vector<Case> pattern_cases() {
  std::vector<Case> cases;
  for (const char* pass : {"forward", "backward"}) cases.push_back(padded_case(pass));
  for (const char* pass : {"forward", "backward"}) cases.push_back(packed_case(pass));
  for (const char* pass : {"forward", "backward"}) cases.push_back(window_case(pass));
  for (const char* pass : {"forward", "backward"}) {
    for (const int64_t length : {8192, 32768, 65536}) {
      cases.push_back(window_per_token_case(pass, length));
    }
  }
  cases.push_back(graph_case("forward", {}));
  cases.push_back(graph_case("forward+backward", {{Measure::kSpeedup, 8}}));
  return cases;
}

}  // namespace heed::bench
