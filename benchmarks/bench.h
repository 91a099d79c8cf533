// What every benchmark here shares: contenders timed in turn in one process, medians, and the peaks
// of the machine measured in the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace heed::bench {

// ---- timing ----

struct Contender {
  std::string name;
  std::function<void()> run;
};

struct Timing {
  std::string name;
  double median_ms = 0;
  double least_ms = 0;
  int runs = 0;
};

struct TimingOptions {
  double seconds = 0.5;  // for each contender
  int least_runs = 5;
  bool warm_up = true;  // the run that is not counted
};

// Runs the contenders in turn (a b c a b c …), so that whatever else the machine does meets all
// of them, until each has had its seconds.
std::vector<Timing> time_in_turn(const std::vector<Contender>& contenders,
                                 const TimingOptions& options);

// ---- the machine ----

std::string cpu_name();

// Multiply-add throughput of `threads` threads in GF/s, over registers alone: the best of a few
// short runs. bfloat16: of the dot product of pairs; 0 where the CPU has none.
double peak_float32(int threads);
double peak_bfloat16(int threads);

// Bytes read per second by `threads` threads from memory far larger than the caches, in GB/s.
double read_bandwidth(int threads);

struct Machine {
  std::string cpu;
  int threads = 0;
  double float32_gflops = 0;
  double bfloat16_gflops = 0;
  double read_gigabytes = 0;
};

Machine measure_machine(int threads);
// The same with every peak the larger of the one in `machine` and one measured now: what else runs
// can only make a peak look lower.
Machine measure_machine_again(const Machine& machine);

// ---- command line and results ----

struct BenchOptions {
  bool json = false;
  int threads = 0;  // 0: torch's own number
  double seconds = 0.5;
  std::string filter;  // cases whose name holds this
};

// --json, --threads N, --min-seconds S, --filter TEXT, --help. Exits on --help and on mistakes.
BenchOptions parse_options(int argc, char** argv, const std::string& about);

// One row: Heed against one peer.
struct Result {
  std::string name;   // "linear 2048x768x768"
  std::string pass;   // "forward", "backward"
  std::string dtype;  // "float32"
  std::string shape;  // what the name abbreviates
  Timing heed;
  Timing peer;                  // no name: Heed alone
  double operations = 0;        // floating-point, of one run; 0: none worth counting
  double bytes = 0;             // read from memory where that is the limit; 0: it is not
  double growth_megabytes = 0;  // of the process's memory, where that is what is measured
  // What the case is to reach on the reference machine, what it did reach, and whether that is
  // enough; empty where there is no goal.
  std::string goal;
  std::string measured;
  std::optional<bool> met;
};

// Prints the machine and a table of results as they come; with --json one object a line instead:
// {"case","pass","dtype","shape","heed_ms","peer","peer_ms","speedup","gflops","peak_share","cpu",
// "threads"}, and "goal", "measured" and "met" where there is a goal. peak_share is that of the
// multiply-add peak of the dtype, or of the read bandwidth where `bytes` is given.
class Report {
 public:
  Report(const Machine& machine, const BenchOptions& options);
  void add(const Result& result) const;
  void set_machine(const Machine& machine) { machine_ = machine; }
  const Machine& machine() const { return machine_; }

 private:
  Machine machine_;
  bool json_ = false;
};

}  // namespace heed::bench
