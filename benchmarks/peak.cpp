// The peaks of the machine, by loops that do nothing else.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "benchmarks/bench.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace heed::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Many short runs, of which some meet a quiet machine.
constexpr int kAttempts = 40;

// The best of a few runs of `work` on all threads at once: work units per second in all.
double best_rate(int threads, double units, const std::function<void(int)>& work) {
  double best = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto start = Clock::now();
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(work, t);
    work(0);
    for (auto& other : others) other.join();
    best = std::max(best, units * threads / seconds_since(start));
  }
  return best;
}

constexpr int64_t kSteps = 1'000'000;
constexpr int kChains = 16;  // enough to hide the latency of two multipliers

#if defined(__x86_64__)
#define HEED_CHAINS(DO) \
  DO(0)                 \
  DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

// The empty assembly keeps the sums in registers and the additions from being left out.
__attribute__((target("avx512f"))) void multiply_512(int) {
  const __m512 x = _mm512_set1_ps(1e-9F);
#define HEED_DECLARE(i) __m512 s##i = _mm512_setzero_ps();
#define HEED_STEP(i)                  \
  s##i = _mm512_fmadd_ps(x, x, s##i); \
  __asm__ volatile("" : "+v"(s##i));
  HEED_CHAINS(HEED_DECLARE)
  for (int64_t k = 0; k < kSteps; ++k) {
    HEED_CHAINS(HEED_STEP)
  }
#undef HEED_DECLARE
#undef HEED_STEP
}

__attribute__((target("avx2,fma"))) void multiply_256(int) {
  const __m256 x = _mm256_set1_ps(1e-9F);
  __m256 sums[12] = {};
  for (int64_t k = 0; k < kSteps; ++k) {
#pragma GCC unroll 12
    for (__m256& sum : sums) {
      sum = _mm256_fmadd_ps(x, x, sum);
      __asm__ volatile("" : "+x"(sum));
    }
  }
}

__attribute__((target("avx512f,avx512bf16"))) void multiply_pairs(int) {
  const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-9F), _mm512_set1_ps(1e-9F));
#define HEED_DECLARE(i) __m512 s##i = _mm512_setzero_ps();
#define HEED_STEP(i)                   \
  s##i = _mm512_dpbf16_ps(s##i, x, x); \
  __asm__ volatile("" : "+v"(s##i));
  HEED_CHAINS(HEED_DECLARE)
  for (int64_t k = 0; k < kSteps; ++k) {
    HEED_CHAINS(HEED_STEP)
  }
#undef HEED_DECLARE
#undef HEED_STEP
}
#undef HEED_CHAINS
#endif

void multiply_plainly(int) {
  typedef float Floats __attribute__((vector_size(16)));
  const Floats x = {1e-9F, 1e-9F, 1e-9F, 1e-9F};
  Floats sums[kChains] = {};
  for (int64_t k = 0; k < kSteps; ++k) {
    for (Floats& sum : sums) sum += x * x;
  }
  // A result that is used.
  Floats total = std::accumulate(sums, sums + kChains, Floats{});
  volatile float kept = total[0];
  (void)kept;
}

}  // namespace

double peak_float32(int threads) {
  const double steps = static_cast<double>(kSteps);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    return best_rate(threads, steps * kChains * 16 * 2, multiply_512) * 1e-9;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return best_rate(threads, steps * 12 * 8 * 2, multiply_256) * 1e-9;
  }
#endif
  return best_rate(threads, steps * kChains * 4 * 2, multiply_plainly) * 1e-9;
}

double peak_bfloat16(int threads) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) {
    return best_rate(threads, static_cast<double>(kSteps) * kChains * 32 * 2, multiply_pairs) *
           1e-9;
  }
#endif
  return 0;
}

double read_bandwidth(int threads) {
  constexpr int64_t kWords = int64_t{1} << 24;  // 128 MiB a thread
  const auto memory = std::make_unique<uint64_t[]>(static_cast<size_t>(kWords * threads));
  std::memset(memory.get(), 1, static_cast<size_t>(kWords * threads * 8));
  return best_rate(threads, static_cast<double>(kWords) * 8,
                   [&](int thread) {
                     typedef uint64_t Words __attribute__((vector_size(64)));
                     const auto* from =
                         reinterpret_cast<const uint64_t*>(memory.get()) + thread * kWords;
                     Words sums[4] = {};
                     for (int64_t i = 0; i < kWords; i += 32) {
                       for (int s = 0; s < 4; ++s) {
                         Words words;
                         std::memcpy(&words, from + i + 8 * s, sizeof words);
                         sums[s] += words;
                       }
                     }
                     volatile uint64_t kept = (sums[0] + sums[1] + sums[2] + sums[3])[0];
                     (void)kept;
                   }) *
         1e-9;
}

}  // namespace heed::bench
