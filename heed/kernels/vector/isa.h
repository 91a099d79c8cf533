// The instruction sets that the kernels are compiled for, and which one runs.
#pragma once

#include <cstdint>

namespace heed::kernels {

// kAmx is the code of kAvx512Bf16, with products of whole bfloat16 tiles by brgemm.h. It runs
// wherever kAvx512Bf16 does, and is taken by itself where the CPU has AMX.
enum class Isa : uint8_t { kPortable, kAvx2, kAvx512, kAvx512Bf16, kAmx };
inline constexpr int kIsaCount = 5;

// "portable", "avx2", "avx512", "avx512bf16", "amx".
const char* name_of(Isa isa);

// Whether this build holds code for it and this CPU runs it.
bool is_available(Isa isa);

// The one in use: the best available, or the one that HEED_ISA names (UsageError where that is not
// a name or not available), or the innermost IsaForTest.
Isa current_isa();

// The name of current_isa(), "amx" included.
const char* isa_name();

// Forces an instruction set on every thread while it lives, for tests.
class IsaForTest {
 public:
  explicit IsaForTest(Isa isa);
  ~IsaForTest();
  IsaForTest(const IsaForTest&) = delete;
  IsaForTest& operator=(const IsaForTest&) = delete;

 private:
  int before_;
};

// One function table for each instruction set. An engine declares its own with
// HEED_TABLES(Table, kTable), in namespace heed::kernels, its leaf code defines kTable in namespace
// HEED_ISA, and HEED_PICK_ISA(kTable) is the one to use. Where the CPU family has none of these,
// only the portable one is built.
#define HEED_TABLES(Table, name) \
  namespace portable {           \
  extern const Table name;       \
  }                              \
  namespace avx2 {               \
  extern const Table name;       \
  }                              \
  namespace avx512 {             \
  extern const Table name;       \
  }                              \
  namespace avx512bf16 {         \
  extern const Table name;       \
  }                              \
  static_assert(true)  // takes the semicolon

#if defined(__x86_64__)
#define HEED_PICK_ISA(table) \
  pick_isa(portable::table, avx2::table, avx512::table, avx512bf16::table)
#else
#define HEED_PICK_ISA(table) (portable::table)
#endif

template <typename Table>
const Table& pick_isa(const Table& portable, const Table& avx2, const Table& avx512,
                      const Table& avx512bf16) {
  switch (current_isa()) {
    case Isa::kAvx2:
      return avx2;
    case Isa::kAvx512:
      return avx512;
    case Isa::kAvx512Bf16:
    case Isa::kAmx:
      return avx512bf16;
    case Isa::kPortable:
      break;
  }
  return portable;
}

}  // namespace heed::kernels
