// Full and causal attention against torch's SDPA, bfloat16, and the use of two threads.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <memory>

#include "benchmarks/attention/cases.h"
#include "heed/kernels/attention/attention.h"
#include "heed/ops/attention/fused_problem.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/threads.h"

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

// The kernels of one call, on a problem and with room for results made beforehand.
class KernelsAlone {
 public:
  explicit KernelsAlone(const Inputs& in)
      : inputs_(in),
        fused_(AttentionCall{.query = in.query, .key = in.key, .value = in.value, .options = {}}),
        output_(at::empty_like(in.query)),
        grad_query_(at::empty_like(in.query)),
        grad_key_(at::empty_like(in.key)),
        grad_value_(at::empty_like(in.value)),
        log_sum_exp_(at::empty(in.query.sizes().slice(0, 3))),
        log_sum_exp_rest_(at::empty_like(log_sum_exp_)),
        result_{.output = rows_of(output_),
                .log_sum_exp = log_sum_exp_.mutable_data_ptr<float>(),
                .log_sum_exp_rest = log_sum_exp_rest_.mutable_data_ptr<float>()},
        backward_{.output = array_of(output_),
                  .log_sum_exp = floats_of(log_sum_exp_),
                  .log_sum_exp_rest = floats_of(log_sum_exp_rest_),
                  .grad_output = array_of(inputs_.grad_output),
                  .grad_query = rows_of(grad_query_),
                  .grad_key = rows_of(grad_key_),
                  .grad_value = rows_of(grad_value_)} {}

  // What run_of() gives: the output, or the gradient of key.
  at::Tensor run(const std::string& pass) const {
    kernels::attention_forward(fused_.problem, result_, OperatorWorkers());
    if (pass == "forward") return output_;
    kernels::attention_backward(fused_.problem, backward_, OperatorWorkers());
    return grad_key_;
  }

 private:
  static kernels::MutableArray rows_of(const at::Tensor& t) {
    return {t.mutable_data_ptr(), t.stride(0), t.stride(1), t.stride(2)};
  }

  Inputs inputs_;
  FusedProblem fused_;
  at::Tensor output_, grad_query_, grad_key_, grad_value_, log_sum_exp_, log_sum_exp_rest_;
  kernels::ForwardResult result_;
  kernels::BackwardArgs backward_;
};

// One query and one key: nothing but what a call costs beside its kernels.
Case overhead_case(const std::string& pass, const std::vector<Goal>& goals) {
  const Sizes sizes{.batch = 1, .heads = 1, .length = 1, .size = 64};
  return {.name = "full",
          .pass = pass,
          .dtype = "float32",
          .shape = text_of_sizes(sizes),
          .peer = "Heed, kernels alone",
          .goals = goals,
          .make = [=] {
            const Inputs inputs = make_inputs(sizes);
            const auto kernels = std::make_shared<KernelsAlone>(inputs);
            return Trial{.heed = run_of(pass, inputs, heed_side()),
                         .peer = [=] { return kernels->run(pass); }};
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
  cases.push_back(overhead_case("forward", {{Measure::kMicroseconds, 1.5}}));
  cases.push_back(overhead_case("forward+backward", {}));
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
