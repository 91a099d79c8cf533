#include "heed/ops/dense/linear_engine.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "heed/base/error.h"
#include "heed/kernels/vector/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace heed {
namespace {

std::atomic<int> forced_engine{-1};

bool is_amd() {
#if defined(__x86_64__)
  unsigned int a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0) return false;
  char vendor[12];
  std::memcpy(vendor, &b, 4);
  std::memcpy(vendor + 4, &d, 4);
  std::memcpy(vendor + 8, &c, 4);
  const std::string_view name(vendor, sizeof vendor);
  return name == "AuthenticAMD" || name == "HygonGenuine";
#else
  return false;
#endif
}

LinearEngine chosen_engine() {
  const char* wanted = std::getenv("HEED_LINEAR");
  if (wanted == nullptr || *wanted == '\0') {
    const bool own = is_amd() && kernels::is_available(kernels::Isa::kAvx2);
    return own ? LinearEngine::kOwn : LinearEngine::kTorch;
  }
  const std::string_view name = wanted;
  if (name == "torch") return LinearEngine::kTorch;
  if (name == "own") return LinearEngine::kOwn;
  throw UsageError(text_of("HEED_LINEAR=", name,
                           ": expected torch or own; unset it to take the faster one for this "
                           "CPU"));
}

}  // namespace

LinearEngine linear_engine() {
  const int forced = forced_engine.load(std::memory_order_relaxed);
  if (forced >= 0) return static_cast<LinearEngine>(forced);
  static const LinearEngine engine = chosen_engine();
  return engine;
}

LinearEngineForTest::LinearEngineForTest(LinearEngine engine)
    : before_(forced_engine.exchange(static_cast<int>(engine))) {}
LinearEngineForTest::~LinearEngineForTest() { forced_engine.store(before_); }

}  // namespace heed
