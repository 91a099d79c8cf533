// heed::attention against torch's SDPA, against formulas written in torch, and against itself: the
// cases in benchmarks/attention/, each with what it is meant to reach on the reference machine.
#include "heed/ops/attention.h"

#include <ATen/ATen.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "benchmarks/attention/cases.h"
#include "benchmarks/bench.h"
#include "heed/base/error.h"

namespace heed::bench {
namespace {

// A line of /proc/self/status in MB: "VmRSS", "VmHWM".
double status_megabytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) * 1024e-6;
  }
  throw UsageError("no " + name + " in /proc/self/status; peak memory is measured on Linux alone");
}

// How far `run` raises the memory of this process, in MB.
double growth_megabytes(const Run& run) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM starts afresh
  const double before = status_megabytes("VmRSS");
  run();
  return status_megabytes("VmHWM") - before;
}

// Both sides of a case are to compute the same: what is compared is far wider than rounding.
void check_same(const Case& c, const at::Tensor& heed, const at::Tensor& peer) {
  const double bound = c.dtype == "float32" ? 1e-3 : 5e-2;
  const auto expected = peer.to(at::kDouble);
  const double error = (heed.to(at::kDouble) - expected).abs().max().item<double>();
  const double size = expected.abs().max().item<double>();
  check_usage(error <= bound * size, c.name, " ", c.pass, " ", c.dtype, " ", c.shape, ": Heed and ",
              c.peer, " differ by ", error, " where the largest value is ", size);
}

std::string formatted(const char* format, double x) {
  char text[80];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

// What was measured, for a person, and whether it reaches the goal.
struct Verdict {
  std::string goal, measured;
  bool met = false;
};

Verdict verdict_of(const Goal& goal, const Result& r, const Trial& trial, const Machine& machine) {
  const double bound = goal.bound;
  const double ratio = r.peer.median_ms / r.heed.median_ms;
  const double seconds = r.heed.median_ms / 1e3;
  switch (goal.measure) {
    case Measure::kSpeedup:
      return {formatted("≥ %g×", bound), formatted("%.2f×", ratio), ratio >= bound};
    case Measure::kTimeRatio:
      return {formatted("≤ %g× its time", bound), formatted("%.2f×", 1 / ratio),
              1 / ratio <= bound};
    case Measure::kMicroseconds: {
      const double beyond = 1e3 * (r.heed.median_ms - r.peer.median_ms);
      return {formatted("≤ its time + %g µs", bound), formatted("+ %.2f µs", beyond),
              beyond <= bound};
    }
    case Measure::kRate: {
      const double rate = ratio * trial.work / trial.peer_work;
      return {formatted("≥ %g of its rate", bound), formatted("%.2f", rate), rate >= bound};
    }
    case Measure::kPeakShare: {
      const double peak = r.dtype == "bfloat16" ? machine.bfloat16_gflops : machine.float32_gflops;
      const double share = r.operations / seconds * 1e-9 / peak;
      return {formatted("≥ %.0f%% of peak", 100 * bound), formatted("%.0f%%", 100 * share),
              share >= bound};
    }
    case Measure::kBandwidthShare: {
      const double share = r.bytes / seconds * 1e-9 / machine.read_gigabytes;
      return {formatted("≥ %.0f%% of read bandwidth", 100 * bound),
              formatted("%.0f%%", 100 * share), share >= bound};
    }
    case Measure::kMegabytes:
      break;
  }
  const double extra = r.growth_megabytes - trial.result_bytes * 1e-6;
  return {formatted("≤ inputs, outputs and gradients + %g MB", bound),
          formatted("+ %.0f MB", std::max(extra, 0.0)), extra <= bound};
}

bool asks_for_peaks(const Case& c) {
  return std::any_of(c.goals.begin(), c.goals.end(), [](const Goal& goal) {
    return goal.measure == Measure::kPeakShare || goal.measure == Measure::kBandwidthShare;
  });
}

class Suite {
 public:
  explicit Suite(const BenchOptions& options)
      : options_(options), report_(measure_machine(options.threads), options) {}

  void run(const Case& c) {
    const std::string label = c.name + " " + c.pass + " " + c.dtype + " " + c.shape;
    if (label.find(options_.filter) == std::string::npos) return;
    at::manual_seed(1);
    const Trial trial = c.make();
    Result result{.name = c.name,
                  .pass = c.pass,
                  .dtype = c.dtype,
                  .shape = c.shape,
                  .operations = trial.operations,
                  .bytes = trial.bytes};
    measure(c, trial, result);
    if (asks_for_peaks(c)) report_.set_machine(measure_machine_again(report_.machine()));
    for (const Goal& goal : c.goals) {
      const Verdict verdict = verdict_of(goal, result, trial, report_.machine());
      const char* comma = result.goal.empty() ? "" : "; ";
      result.goal += comma + verdict.goal;
      result.measured += comma + verdict.measured;
      result.met = result.met.value_or(true) && verdict.met;
    }
    report_.add(result);
  }

 private:
  void measure(const Case& c, const Trial& trial, Result& result) const {
    if (trial.result_bytes > 0) {
      const auto timings =
          time_in_turn({{"heed", [&] { result.growth_megabytes = growth_megabytes(trial.heed); }}},
                       {.seconds = 0, .least_runs = 1, .warm_up = false});
      result.heed = timings[0];
      return;
    }
    const auto start = std::chrono::steady_clock::now();
    const at::Tensor heed = trial.heed(), peer = trial.peer();
    const std::chrono::duration<double> first = std::chrono::steady_clock::now() - start;
    if (trial.same_result) check_same(c, heed, peer);
    const auto timings = time_in_turn(
        {{"heed", [&] { trial.heed(); }}, {c.peer, [&] { trial.peer(); }}},
        // A run of seconds is long enough to be its own average.
        {.seconds = options_.seconds, .least_runs = first.count() > 2 ? 1 : 5, .warm_up = false});
    result.heed = timings[0];
    result.peer = timings[1];
  }

  BenchOptions options_;
  Report report_;
};

void run_all(const BenchOptions& options) {
  Suite suite(options);
  for (const auto& cases : {dense_cases(), modifier_cases(), pattern_cases(), memory_cases()}) {
    for (const Case& c : cases) suite.run(c);
  }
}

}  // namespace
}  // namespace heed::bench

int main(int argc, char** argv) {
  try {
    const auto options = heed::bench::parse_options(
        argc, argv, "heed_bench_attention: heed::attention against torch, and its goals");
    heed::bench::run_all(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
