#include "heed/kernels/isa.h"

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "heed/base/error.h"
#include "heed/kernels/attention.h"

namespace heed::kernels {
namespace {

constexpr const char* kNames[kIsaCount] = {"portable", "avx2", "avx512", "avx512bf16"};

std::atomic<int> forced_isa{-1};

Isa best_isa() {
  Isa best = Isa::kPortable;
  for (int i = 0; i < kIsaCount; ++i) {
    if (is_available(static_cast<Isa>(i))) best = static_cast<Isa>(i);
  }
  return best;
}

Isa chosen_isa() {
  const char* wanted = std::getenv("HEED_ISA");
  if (wanted == nullptr || *wanted == '\0') return best_isa();
  for (int i = 0; i < kIsaCount; ++i) {
    if (std::string_view(wanted) != kNames[i]) continue;
    check_usage(is_available(static_cast<Isa>(i)), "HEED_ISA=", wanted,
                ": this CPU does not have it; the best here is ", name_of(best_isa()));
    return static_cast<Isa>(i);
  }
  throw UsageError(text_of("HEED_ISA=", wanted,
                           ": expected portable, avx2, avx512 or avx512bf16; unset it to "
                           "take the best that the CPU has"));
}

}  // namespace

const char* name_of(Isa isa) { return kNames[static_cast<int>(isa)]; }

bool is_available(Isa isa) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  switch (isa) {
    case Isa::kAvx2:
      return avx2;
    case Isa::kAvx512:
      return avx512;
    case Isa::kAvx512Bf16:
      return avx512 && __builtin_cpu_supports("avx512bf16");
    case Isa::kPortable:
      break;
  }
  return true;
#else
  return isa == Isa::kPortable;
#endif
}

Isa current_isa() {
  const int forced = forced_isa.load(std::memory_order_relaxed);
  if (forced >= 0) return static_cast<Isa>(forced);
  static const Isa isa = chosen_isa();
  return isa;
}

IsaForTest::IsaForTest(Isa isa) : before_(forced_isa.exchange(static_cast<int>(isa))) {}
IsaForTest::~IsaForTest() { forced_isa.store(before_); }

const char* isa_name() { return name_of(current_isa()); }

}  // namespace heed::kernels
