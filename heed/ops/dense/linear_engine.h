// Whose dense products heed::linear takes.
#pragma once

#include <cstdint>

namespace heed {

enum class LinearEngine : uint8_t {
  kTorch,  // at::linear: MKL and oneDNN
  kOwn,    // heed/kernels/matrix/gemm.h
};

// The one that HEED_LINEAR names ("torch" or "own"; UsageError for anything else), or the innermost
// LinearEngineForTest, or else by this rule:
//
//   an AMD or Hygon CPU with AVX2   own: MKL takes slower code for CPUs that are not Intel's (on
//                                   Zen 5 38% of peak in float32, where these reach 90%)
//   any other CPU                   torch: MKL and oneDNN are at home on Intel's, AMX included, and
//                                   the portable kernels are no match for any vendor's library
//
// A rule and not a measurement at start, so that two runs on one machine give the same bits.
LinearEngine linear_engine();

// Forces an engine on every thread while it lives, for tests and benchmarks.
class LinearEngineForTest {
 public:
  explicit LinearEngineForTest(LinearEngine engine);
  ~LinearEngineForTest();
  LinearEngineForTest(const LinearEngineForTest&) = delete;
  LinearEngineForTest& operator=(const LinearEngineForTest&) = delete;

 private:
  int before_;
};

}  // namespace heed
