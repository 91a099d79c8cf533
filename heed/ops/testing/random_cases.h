// For tests: random calls of attention, each a list of small numbers that can be printed, read
// again and made smaller.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/ops/attention.h"
#include "heed/ops/testing/plain_attention.h"

namespace heed::conformance {

enum Field : size_t {
  kSeed,
  kType,   // 0 float32, 1 bfloat16
  kScore,  // 0 dot, 1 scaled dot, 2 cosine, 3 additive, 4 leaky
  kPatternKind,
  kSoftcap,  // 0 none
  kSlopes,
  kTable,  // 0 none, 1 a row for each head, 2 one row
  kBias,   // 0 none, else one of its shapes
  kBatch,
  kKeyHeads,
  kGroup,  // query heads for each key head
  kQueries,
  kKeys,
  kSize,
  kValueSize,
  kReach,
  kDropout,  // 0 none
  kTopLeft,  // alignment of distances
  kInputScale,
  kLayout,  // 0 contiguous, 1 heads side by side, 2 every second row
  kA,       // what the patterns are made of
  kB,
  kC,
  kFields,
};

struct RandomCase {
  std::array<int64_t, kFields> value{};
  int64_t operator[](Field field) const { return value[field]; }
  int64_t heads() const { return value[kKeyHeads] * value[kGroup]; }
};

inline constexpr std::array<const char*, kFields> kFieldNames = {
    "seed",    "type",     "score",       "pattern", "softcap", "slopes", "table",      "bias",
    "batch",   "k_heads",  "group",       "queries", "keys",    "size",   "value_size", "reach",
    "dropout", "top_left", "input_scale", "layout",  "a",       "b",      "c"};
inline constexpr std::array<int64_t, kFields> kSmallest = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
                                                           1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
inline constexpr int64_t kPatternKinds = 14;
inline constexpr std::array<double, 6> kInputScales = {1, 0.03, 0.3, 3, 30, 1e-3};

// "seed=3 type=0 …"
std::string text_of_case(const RandomCase& one);
// The same again; throws UsageError where the text is none.
RandomCase case_from(std::string_view text);
RandomCase random_case(uint64_t seed);

// The tensors and options of a case: for heed::attention, and for plain_attention().
struct MadeCase {
  PlainInputs inputs;  // in double, each as its dtype holds it
  at::Tensor grad_output, grad_log_sum_exp;
  Pattern pattern;
  PlainOptions plain;
  at::ScalarType type = at::kFloat;
};
MadeCase made_of(const RandomCase& one);

// One line for each result that breaks the rule of two; empty where all hold.
std::string judged(const RandomCase& one);

// The smallest case found that still breaks it.
RandomCase shrunk(RandomCase one);

}  // namespace heed::conformance
