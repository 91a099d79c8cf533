// Full and causal attention against torch's SDPA, bfloat16, and the use of two threads.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "benchmarks/attention/cases.h"

namespace heed::bench {
namespace {

Case full_case(const Sizes& sizes, const std::string& pass, const std::vector<Goal>& goals,
               at::ScalarType type = at::kFloat) {
  return {.name = "full",
          .pass = pass,
          .dtype = type == at::kFloat ? "float32" : "bfloat16",
          .shape = text_of_sizes(sizes),
          .peer = "SDPA",
          .goals = goals,
          .make = [=] {
            const Inputs inputs = make_inputs(sizes, type);
            return Trial{.heed = run_of(pass, inputs, heed_side()),
                         .peer = run_of(pass, inputs, sdpa_side()),
                         .operations = operations_of(pass, sizes, full_pairs(sizes))};
          }};
}

Case causal_case(const Sizes& sizes, const std::string& pass, const std::vector<Goal>& goals) {
  return {.name = "causal",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "SDPA",
          .goals = goals,
          .make = [=] {
            const Inputs inputs = make_inputs(sizes);
            return Trial{.heed = run_of(pass, inputs, heed_side({.pattern = Pattern::causal()})),
                         .peer = run_of(pass, inputs, sdpa_side({.causal = true})),
                         .operations = operations_of(pass, sizes, causal_pairs(sizes))};
          }};
}

// Per useful operation: the half that is masked is not to cost anything.
Case causal_rate_case(const Sizes& sizes, const std::string& pass) {
  return {.name = "causal",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "Heed, full",
          .goals = {{Measure::kRate, 0.9}},
          .make = [=] {
            const Inputs inputs = make_inputs(sizes);
            const double useful = operations_of(pass, sizes, causal_pairs(sizes));
            return Trial{.heed = run_of(pass, inputs, heed_side({.pattern = Pattern::causal()})),
                         .peer = run_of(pass, inputs, heed_side()),
                         .same_result = false,
                         .operations = useful,
                         .work = useful,
                         .peer_work = operations_of(pass, sizes, full_pairs(sizes))};
          }};
}

Case two_threads_case() {
  const Sizes sizes{.batch = 1, .heads = 1, .length = 4096, .size = 64};
  return {.name = "full, 2 threads",
          .pass = "backward",
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "Heed, 1 thread",
          .goals = {{Measure::kSpeedup, 1.8}},
          .make = [=] {
            const auto run = run_of("backward", make_inputs(sizes), heed_side());
            const auto with_threads = [run](int threads) {
              return [run, threads] {
                const int before = at::get_num_threads();
                at::set_num_threads(threads);
                const at::Tensor result = run();
                at::set_num_threads(before);
                return result;
              };
            };
            return Trial{.heed = with_threads(2),
                         .peer = with_threads(1),
                         .operations = operations_of("backward", sizes, full_pairs(sizes))};
          }};
}

}  // namespace

std::vector<Case> dense_cases() {
  std::vector<Case> cases;
  const std::vector<Goal> forward = {{Measure::kPeakShare, 0.78}, {Measure::kSpeedup, 2.3}};
  const std::vector<Goal> backward = {{Measure::kPeakShare, 0.70}, {Measure::kSpeedup, 2.2}};
  for (const int64_t length : {512, 2048, 8192}) {
    for (const int64_t size : {32, 64, 128}) {
      cases.push_back(full_case({1, 12, length, size}, "forward", forward));
      cases.push_back(full_case({1, 12, length, size}, "backward", backward));
    }
  }
  for (const char* pass : {"forward", "backward"}) {
    cases.push_back(full_case({8, 12, 128, 64}, pass, {{Measure::kSpeedup, 2}}));
    cases.push_back(full_case({1, 4, 16, 64}, pass, {{Measure::kSpeedup, 1.5}}));
  }
  for (const char* pass : {"forward", "backward"}) {
    cases.push_back(causal_case({1, 12, 512, 64}, pass, {{Measure::kSpeedup, 3}}));
    cases.push_back(causal_case({1, 12, 2048, 64}, pass, {}));
    for (const int64_t length : {1024, 2048, 4096}) {
      cases.push_back(causal_rate_case({1, 12, length, 64}, pass));
    }
  }
  for (const int64_t length : {512, 2048}) {
    const Sizes sizes{1, 12, length, 64};
    cases.push_back(full_case(sizes, "forward", {{Measure::kSpeedup, 4}}, at::kBFloat16));
    cases.push_back(full_case(sizes, "backward", {{Measure::kSpeedup, 2.5}}, at::kBFloat16));
  }
  if (at::get_num_threads() >= 2) cases.push_back(two_threads_case());
  return cases;
}

}  // namespace heed::bench
