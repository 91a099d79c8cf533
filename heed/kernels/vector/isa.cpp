#include "heed/kernels/vector/isa.h"

#include <atomic>
#include <cstdlib>
#include <string_view>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "heed/base/error.h"

namespace heed::kernels {
namespace {

constexpr const char* kNames[kIsaCount] = {"portable", "avx2", "avx512", "avx512bf16", "amx"};

std::atomic<int> forced_isa{-1};

// Whether the CPU multiplies bfloat16 tiles and the system lets this process keep them.
bool has_amx() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr unsigned kBFloat16Tiles = 1u << 22;
  constexpr unsigned kTiles = 1u << 24;
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kBFloat16Tiles) == 0 || (d & kTiles) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

Isa best_isa() {
  Isa best = Isa::kPortable;
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (is_available(isa) && (isa != Isa::kAmx || has_amx())) best = isa;
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
                           ": expected portable, avx2, avx512, avx512bf16 or amx; unset it to "
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
    case Isa::kAmx:
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
