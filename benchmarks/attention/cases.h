// The rows of benchmarks/attention: what is measured, against what, and what it is meant to reach
// on the reference machine (2 cores of AMD Zen 5).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heed/ops/attention.h"

namespace heed::bench {

enum class Measure : uint8_t {
  kSpeedup,         // the peer's time over Heed's, at least
  kPeakShare,       // of the multiply-add peak of the dtype, at least
  kTimeRatio,       // Heed's time over the peer's, at most
  kMicroseconds,    // of Heed's time beyond the peer's, at most
  kRate,            // Heed's work per second over the peer's, at least
  kBandwidthShare,  // of the read bandwidth, at least
  kMegabytes,       // of memory beside inputs, outputs and gradients, at most
};

struct Goal {
  Measure measure = Measure::kSpeedup;
  double bound = 1;
};

// Does what is timed once. What it returns shows that both sides compute the same.
using Run = std::function<at::Tensor()>;

// A case with its tensors.
struct Trial {
  Run heed;
  Run peer = {};  // none where result_bytes is given
  bool same_result = true;
  double operations = 0;  // floating-point, that the mathematics asks for; 0: not counted
  double bytes = 0;       // read from memory where that is the limit
  double work = 0;        // for kRate, in any unit
  double peer_work = 0;
  double result_bytes = 0;  // for kMegabytes: outputs and gradients
};

struct Case {
  std::string name;
  std::string pass;  // "forward", "backward", "forward+backward"
  std::string dtype;
  std::string shape;
  std::string peer;
  std::vector<Goal> goals;
  std::function<Trial()> make;  // tensors exist only while their case runs
};

// ---- building cases ----

struct Sizes {
  int64_t batch = 1;
  int64_t heads = 1;
  int64_t length = 1;
  int64_t size = 64;
};
std::string text_of_sizes(const Sizes& sizes);  // "B1 H12 N2048 D64"

struct Inputs {
  at::Tensor query, key, value, grad_output;
};
Inputs make_inputs(const Sizes& sizes, at::ScalarType type = at::kFloat);

// One of the two that are compared.
struct Side {
  std::function<at::Tensor(const Inputs&)> attend;
  std::vector<at::Tensor> learned = {};  // beside query, key and value; gradients are taken
};
Side heed_side(const AttentionOptions& options = {});

struct SdpaOptions {
  at::Tensor mask = {};  // bool, true = may attend, or a bias
  bool causal = false;
  double dropout = 0;
};
Side sdpa_side(const SdpaOptions& options = {});

// What `pass` does with `side`. Forward: without autograd.
Run run_of(const std::string& pass, const Inputs& inputs, const Side& side);

// Multiply-adds count as two operations; the backward pass has five products to the forward's two.
double operations_of(const std::string& pass, const Sizes& sizes, double pairs);
double full_pairs(const Sizes& sizes);
double causal_pairs(const Sizes& sizes);
double window_pairs(const Sizes& sizes, int64_t left, int64_t right);

std::vector<Case> dense_cases();     // full, causal, bfloat16, threads
std::vector<Case> modifier_cases();  // dropout, softcap, biases, cosine, additive
std::vector<Case> pattern_cases();   // window, padded, packed, graph
std::vector<Case> memory_cases();    // decoding, peak memory

}  // namespace heed::bench
