// Where memory is the limit: one query over a long cache, and the most that a long sequence takes.
#include <ATen/ATen.h>

#include "benchmarks/attention/cases.h"

namespace heed::bench {
namespace {

Case decode_case(at::ScalarType type) {
  const Sizes cache{.batch = 4, .heads = 12, .length = 8192, .size = 64};
  return {.name = "one query over a cache",
          .pass = "forward",
          .dtype = type == at::kFloat ? "float32" : "bfloat16",
          .shape = text_of_sizes(cache),
          .peer = "SDPA",
          .goals = {{Measure::kBandwidthShare, 0.8}},
          .make = [=] {
            Inputs inputs = make_inputs(cache, type);
            inputs.query = inputs.query.narrow(2, 0, 1).contiguous();
            return Trial{
                .heed = run_of("forward", inputs, heed_side({.pattern = Pattern::causal()})),
                .peer = run_of("forward", inputs, sdpa_side()),
                .operations = operations_of("forward", cache, static_cast<double>(cache.length)),
                .bytes = static_cast<double>(inputs.key.nbytes() + inputs.value.nbytes())};
          }};
}

Case long_case(at::ScalarType type) {
  const Sizes sizes{.batch = 1, .heads = 8, .length = 65536, .size = 64};
  const std::string pass = "forward+backward";
  return {.name = "causal, peak memory",
          .pass = pass,
          .dtype = type == at::kFloat ? "float32" : "bfloat16",
          .shape = text_of_sizes(sizes),
          .peer = "",
          .goals = {{Measure::kMegabytes, 64}},
          .make = [=] {
            const Inputs inputs = make_inputs(sizes, type);
            const auto tensor = static_cast<double>(inputs.query.nbytes());
            const auto rows = static_cast<double>(sizes.batch * sizes.heads * sizes.length);
            return Trial{.heed = run_of(pass, inputs, heed_side({.pattern = Pattern::causal()})),
                         .operations = operations_of(pass, sizes, causal_pairs(sizes)),
                         // output, log-sum-exp, and the gradients of query, key and value
                         .result_bytes = 4 * tensor + rows * sizeof(float)};
          }};
}

}  // namespace

std::vector<Case> memory_cases() {
  return {decode_case(at::kFloat), decode_case(at::kBFloat16), long_case(at::kFloat),
          long_case(at::kBFloat16)};
}

}  // namespace heed::bench
