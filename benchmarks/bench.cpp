#include "benchmarks/bench.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>

namespace heed::bench {
namespace {

double now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

Timing summary(const std::string& name, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return {.name = name,
          .median_ms = times[times.size() / 2],
          .least_ms = times.front(),
          .runs = static_cast<int>(times.size())};
}

double round_to(double x, double unit) { return std::round(x / unit) * unit; }

}  // namespace

std::vector<Timing> time_in_turn(const std::vector<Contender>& contenders,
                                 const TimingOptions& options) {
  std::vector<std::vector<double>> times(contenders.size());
  if (options.warm_up) {
    for (const Contender& contender : contenders) contender.run();
  }
  const double budget = options.seconds * 1e3 * static_cast<double>(contenders.size());
  const double begin = now_ms();
  for (int round = 0; round < options.least_runs || now_ms() - begin < budget; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      const double start = now_ms();
      contenders[i].run();
      times[i].push_back(now_ms() - start);
    }
  }
  std::vector<Timing> result;
  for (size_t i = 0; i < contenders.size(); ++i) {
    result.push_back(summary(contenders[i].name, std::move(times[i])));
  }
  return result;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string model, family;
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    if (line.starts_with("model name")) model = line.substr(colon + 2);
    if (line.starts_with("cpu family")) family = line.substr(colon + 2);
    if (!model.empty() && !family.empty()) return model + " (family " + family + ")";
  }
  return model.empty() ? "unknown" : model;
}

Machine measure_machine(int threads) {
  return {.cpu = cpu_name(),
          .threads = threads,
          .float32_gflops = peak_float32(threads),
          .bfloat16_gflops = peak_bfloat16(threads),
          .read_gigabytes = read_bandwidth(threads)};
}

Machine measure_machine_again(const Machine& machine) {
  Machine now = measure_machine(machine.threads);
  now.float32_gflops = std::max(now.float32_gflops, machine.float32_gflops);
  now.bfloat16_gflops = std::max(now.bfloat16_gflops, machine.bfloat16_gflops);
  now.read_gigabytes = std::max(now.read_gigabytes, machine.read_gigabytes);
  return now;
}

BenchOptions parse_options(int argc, char** argv, const std::string& about) {
  const std::string usage = about +
                            "\n\n"
                            "  --json           one JSON object a line instead of a table\n"
                            "  --threads N      threads of torch and of Heed (default: torch's)\n"
                            "  --min-seconds S  for each contender of a case (default 0.5)\n"
                            "  --filter TEXT    the cases whose name holds TEXT\n";
  const auto mistake = [&](const std::string& what) {
    std::cerr << what << "\n\n" << usage;
    std::exit(2);
  };
  BenchOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) mistake(std::string(word) + " needs a value");
      return argv[++i];
    };
    const auto number = [&]() {
      const std::string text = value();
      char* end = nullptr;
      const double x = std::strtod(text.c_str(), &end);
      if (*end != '\0' || !(x > 0)) mistake(std::string(word) + ": a number above 0, not " + text);
      return x;
    };
    if (word == "--json") {
      options.json = true;
    } else if (word == "--threads") {
      options.threads = static_cast<int>(number());
    } else if (word == "--min-seconds") {
      options.seconds = number();
    } else if (word == "--filter") {
      options.filter = value();
    } else if (word == "--help") {
      std::cout << usage;
      std::exit(0);
    } else {
      mistake("unknown option " + std::string(word));
    }
  }
  if (options.threads > 0) at::set_num_threads(options.threads);
  options.threads = at::get_num_threads();
  return options;
}

Report::Report(const Machine& machine, const BenchOptions& options)
    : machine_(machine), json_(options.json) {
  if (json_) return;
  std::printf("%s, %d threads\n", machine.cpu.c_str(), machine.threads);
  std::printf("peak %.0f GF/s float32, %.0f GF/s bfloat16, read %.1f GB/s\n\n",
              machine.float32_gflops, machine.bfloat16_gflops, machine.read_gigabytes);
  std::printf("%-31s %-18s %-22s %-9s %10s  %-24s %10s %8s %8s %6s  %s\n", "case", "shape", "pass",
              "dtype", "heed ms", "peer", "peer ms", "speedup", "GF/s", "peak", "goal: measured");
}

void Report::add(const Result& r) const {
  const double seconds = r.heed.median_ms / 1e3;
  const double gflops = r.operations / seconds * 1e-9;
  const double peak = r.dtype == "bfloat16" ? machine_.bfloat16_gflops : machine_.float32_gflops;
  double share = peak > 0 ? gflops / peak : 0;
  if (r.bytes > 0) share = r.bytes / seconds * 1e-9 / machine_.read_gigabytes;
  const double speedup = r.peer.median_ms / r.heed.median_ms;
  const std::string verdict =
      r.met ? r.goal + ": " + r.measured + (*r.met ? ", met" : ", NOT MET") : "";
  if (!json_) {
    std::printf("%-31s %-18s %-22s %-9s %10.4f  %-24s %10.4f %7.2fx %8.0f %5.0f%%  %s\n",
                r.name.c_str(), r.shape.c_str(), r.pass.c_str(), r.dtype.c_str(), r.heed.median_ms,
                r.peer.name.c_str(), r.peer.median_ms, speedup, gflops, 100 * share,
                verdict.c_str());
  } else {
    nlohmann::ordered_json line = {{"case", r.name},
                                   {"pass", r.pass},
                                   {"dtype", r.dtype},
                                   {"shape", r.shape},
                                   {"heed_ms", round_to(r.heed.median_ms, 1e-5)},
                                   {"peer", r.peer.name},
                                   {"peer_ms", round_to(r.peer.median_ms, 1e-5)},
                                   {"speedup", round_to(speedup, 1e-3)},
                                   {"gflops", round_to(gflops, 0.1)},
                                   {"peak_share", round_to(share, 1e-3)},
                                   {"cpu", machine_.cpu},
                                   {"threads", machine_.threads}};
    if (r.peer.name.empty()) line["peer"] = line["peer_ms"] = line["speedup"] = nullptr;
    if (r.operations == 0) line["gflops"] = nullptr;
    if (share == 0) line["peak_share"] = nullptr;
    if (r.met) {
      line["goal"] = r.goal;
      line["measured"] = r.measured;
      line["met"] = *r.met;
    }
    std::printf("%s\n", line.dump().c_str());
  }
  std::fflush(stdout);
}

}  // namespace heed::bench
