// Vectors of HEED_LANES floats for the code that is compiled once for each instruction set.
//
// Only leaf headers (x_leaf.h, which HeedLeaves.cmake has compiled once for each instruction set)
// may include this: they are compiled with the flags of their instruction set and
// the macros HEED_ISA (the namespace) and HEED_LANES. Everything here lives in that namespace, so
// no function compiled for one instruction set can be linked in the place of another's. For the
// same reason such files hold leaf functions over raw pointers only: no standard library
// templates, no allocation, no exceptions. The test heed_kernels_isa_symbols holds them to it.
//
// It is not Highway because that of Debian 12 (1.0.3) multiplies no bfloat16: there is no target
// with AVX-512 BF16 in it, and ops/x86_128-inl.h says "_mm_dpbf16_ps when available".
#pragma once

#if !defined(HEED_ISA) || !defined(HEED_LANES)
#error "simd_leaf.h belongs in leaf headers, which heed_leaves() compiles for each instruction set"
#endif

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define HEED_INLINE inline __attribute__((always_inline))
#define HEED_INLINE_LAMBDA __attribute__((always_inline))

namespace heed::kernels::HEED_ISA {

inline constexpr int kLanes = HEED_LANES;

typedef float Floats __attribute__((vector_size(4 * HEED_LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * HEED_LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * HEED_LANES)));

typedef float LooseFloats __attribute__((vector_size(4 * HEED_LANES), aligned(4), may_alias));
typedef uint32_t LooseWords __attribute__((vector_size(4 * HEED_LANES), aligned(2), may_alias));
typedef uint16_t LooseHalves __attribute__((vector_size(2 * HEED_LANES), aligned(2), may_alias));
typedef uint16_t Halves __attribute__((vector_size(2 * HEED_LANES)));

// ---- loads, stores, broadcasts (no alignment needed) ----

HEED_INLINE Floats load(const float* from) { return *reinterpret_cast<const LooseFloats*>(from); }
HEED_INLINE void store(float* to, Floats v) { *reinterpret_cast<LooseFloats*>(to) = v; }
HEED_INLINE Words load_words(const void* from) {
  return *reinterpret_cast<const LooseWords*>(from);
}
HEED_INLINE void store_words(void* to, Words v) { *reinterpret_cast<LooseWords*>(to) = v; }

HEED_INLINE Floats broadcast(float x) { return x - Floats{}; }
HEED_INLINE Words broadcast_word(uint32_t x) { return x - Words{}; }
HEED_INLINE Floats zeros() { return Floats{}; }

HEED_INLINE Words lane_numbers() {
  Words v;
  for (int i = 0; i < kLanes; ++i) v[i] = static_cast<uint32_t>(i);
  return v;
}

HEED_INLINE Words as_words(Floats v) { return reinterpret_cast<Words>(v); }
HEED_INLINE Floats as_floats(Words v) { return reinterpret_cast<Floats>(v); }

// ---- arithmetic ----

// a · b + c, rounded once where the instruction set has it.
HEED_INLINE Floats fma(Floats a, Floats b, Floats c) {
#if HEED_LANES == 16
  return _mm512_fmadd_ps(a, b, c);
#elif HEED_LANES == 8
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

// a · b + c, rounded once, also where the instruction set has no such operation.
HEED_INLINE Floats fma_rounded_once(Floats a, Floats b, Floats c) {
#if HEED_LANES == 4
  using Doubles = double __attribute__((vector_size(8 * HEED_LANES)));
  const Doubles product = __builtin_convertvector(a, Doubles) * __builtin_convertvector(b, Doubles);
  return __builtin_convertvector(product + __builtin_convertvector(c, Doubles), Floats);
#else
  return fma(a, b, c);
#endif
}

// A sum that keeps what rounding takes from it (Knuth's two-sum).
struct CarefulSum {
  Floats sum{};
  Floats lost{};
  HEED_INLINE void add(Floats x) {
    const Floats next = sum + x;
    const Floats taken = next - sum;
    lost = lost + ((sum - (next - taken)) + (x - taken));
    sum = next;
  }
  HEED_INLINE double total() const {
    double all = 0;
    for (int i = 0; i < kLanes; ++i) all += double{sum[i]} + double{lost[i]};
    return all;
  }
};

// The larger; b where either is NaN.
HEED_INLINE Floats max(Floats a, Floats b) {
#if HEED_LANES == 16
  return _mm512_max_ps(a, b);
#elif HEED_LANES == 8
  return _mm256_max_ps(a, b);
#elif defined(__SSE2__)
  return _mm_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

// The smaller; b where either is NaN.
HEED_INLINE Floats min(Floats a, Floats b) {
#if HEED_LANES == 16
  return _mm512_min_ps(a, b);
#elif HEED_LANES == 8
  return _mm256_min_ps(a, b);
#elif defined(__SSE2__)
  return _mm_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

HEED_INLINE Floats abs(Floats v) { return as_floats(as_words(v) & 0x7fffffffu); }

HEED_INLINE Floats sqrt(Floats v) {
#if HEED_LANES == 16
  return _mm512_sqrt_ps(v);
#elif HEED_LANES == 8
  return _mm256_sqrt_ps(v);
#elif defined(__SSE2__)
  return _mm_sqrt_ps(v);
#else
  for (int i = 0; i < kLanes; ++i) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

// ---- lanes under a mask: bit i of the word is lane i ----

#if HEED_LANES == 16
typedef __mmask16 Mask;
HEED_INLINE Mask mask_of_bits(uint32_t bits) { return static_cast<Mask>(bits); }
HEED_INLINE Floats select(Mask m, Floats yes, Floats no) {
  return _mm512_mask_blend_ps(m, no, yes);
}
HEED_INLINE Mask less(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
HEED_INLINE Mask equal(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
HEED_INLINE Mask less_words(Words a, Words b) {
  return _mm512_cmplt_epu32_mask(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b));
}
// The lanes whose word has a bit of `bits`.
HEED_INLINE Mask test_bits(Words v, uint32_t bits) {
  return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(v),
                                reinterpret_cast<__m512i>(broadcast_word(bits)));
}
#else
typedef Ints Mask;
HEED_INLINE Mask test_bits(Words v, uint32_t bits) { return (v & bits) != 0; }
HEED_INLINE Mask mask_of_bits(uint32_t bits) {
  const Words lane_bit = 1u << lane_numbers();
  return (broadcast_word(bits) & lane_bit) != 0;
}
HEED_INLINE Floats select(Mask m, Floats yes, Floats no) {
  return as_floats((as_words(yes) & reinterpret_cast<Words>(m)) |
                   (as_words(no) & ~reinterpret_cast<Words>(m)));
}
HEED_INLINE Mask less(Floats a, Floats b) { return a < b; }
HEED_INLINE Mask equal(Floats a, Floats b) { return a == b; }
HEED_INLINE Mask less_words(Words a, Words b) { return a < b; }
#endif

// The first `count` lanes (0 <= count <= kLanes).
HEED_INLINE uint32_t first_bits(int count) {
  return static_cast<uint32_t>((uint64_t{1} << count) - 1);
}

// Reads or writes only the first `count` lanes; the others read as 0.
HEED_INLINE Floats load_first(const float* from, int count) {
#if HEED_LANES == 16
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(first_bits(count)), from);
#else
  Floats v{};
  for (int i = 0; i < count; ++i) v[i] = from[i];
  return v;
#endif
}
HEED_INLINE void store_first(float* to, Floats v, int count) {
#if HEED_LANES == 16
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>(first_bits(count)), v);
#else
  for (int i = 0; i < count; ++i) to[i] = v[i];
#endif
}

// ---- over the lanes of one vector, always in the same order ----

// Lane i + kLanes / 2^n onto lane i, for the halves of halves.
HEED_INLINE Floats upper_half(Floats v) {
#if HEED_LANES == 16
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
#elif HEED_LANES == 8
  return __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7);
#else
  return __builtin_shufflevector(v, v, 2, 3, 2, 3);
#endif
}
// Folds the upper half of the lanes onto the lower until one is left.
template <typename Fold>
HEED_INLINE float fold_lanes(Floats v, const Fold& fold) {
  v = fold(v, upper_half(v));
#if HEED_LANES == 16
  v = fold(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
#endif
#if HEED_LANES == 16
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3));
#elif HEED_LANES == 8
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3));
#endif
  return fold(v, broadcast(v[1]))[0];
}
HEED_INLINE float sum_lanes(Floats v) {
  return fold_lanes(v, [](Floats a, Floats b) HEED_INLINE_LAMBDA { return a + b; });
}
// As in max(), a NaN may be lost.
HEED_INLINE float max_lanes(Floats v) {
  return fold_lanes(v, [](Floats a, Floats b) HEED_INLINE_LAMBDA { return max(a, b); });
}

// ---- transposing ----

// In each group of four lanes: a0 b0 a1 b1, or of the upper half of the group.
HEED_INLINE Words zip_low(Words a, Words b) {
#if HEED_LANES == 16
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
#elif HEED_LANES == 8
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
#else
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}
HEED_INLINE Words zip_high(Words a, Words b) {
#if HEED_LANES == 16
  return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
#elif HEED_LANES == 8
  return __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
#else
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}
// The same with pairs of lanes: a0 a1 b0 b1.
HEED_INLINE Words join_low(Words a, Words b) {
#if HEED_LANES == 16
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
#elif HEED_LANES == 8
  return __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
#else
  return __builtin_shufflevector(a, b, 0, 1, 4, 5);
#endif
}
HEED_INLINE Words join_high(Words a, Words b) {
#if HEED_LANES == 16
  return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
#elif HEED_LANES == 8
  return __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
#else
  return __builtin_shufflevector(a, b, 2, 3, 6, 7);
#endif
}
#if HEED_LANES > 4
// The even, or the odd, groups of four lanes of a and then of b.
HEED_INLINE Words even_groups(Words a, Words b) {
#if HEED_LANES == 16
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
#else
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
#endif
}
HEED_INLINE Words odd_groups(Words a, Words b) {
#if HEED_LANES == 16
  return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
#else
  return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
#endif
}
#endif

// rows[i][j] becomes rows[j][i].
HEED_INLINE void transpose(Words (&rows)[kLanes]) {
  // Blocks of 4 × 4 inside the groups of four lanes.
#pragma GCC unroll 4
  for (int i = 0; i < kLanes; i += 4) {
    const Words a = zip_low(rows[i], rows[i + 1]);
    const Words b = zip_high(rows[i], rows[i + 1]);
    const Words c = zip_low(rows[i + 2], rows[i + 3]);
    const Words d = zip_high(rows[i + 2], rows[i + 3]);
    rows[i] = join_low(a, c);
    rows[i + 1] = join_high(a, c);
    rows[i + 2] = join_low(b, d);
    rows[i + 3] = join_high(b, d);
  }
  // Then the groups among each other.
#if HEED_LANES == 16
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const Words a = even_groups(rows[i], rows[i + 4]);
    const Words b = odd_groups(rows[i], rows[i + 4]);
    const Words c = even_groups(rows[i + 8], rows[i + 12]);
    const Words d = odd_groups(rows[i + 8], rows[i + 12]);
    rows[i] = even_groups(a, c);
    rows[i + 4] = even_groups(b, d);
    rows[i + 8] = odd_groups(a, c);
    rows[i + 12] = odd_groups(b, d);
  }
#elif HEED_LANES == 8
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const Words a = rows[i];
    rows[i] = even_groups(a, rows[i + 4]);
    rows[i + 4] = odd_groups(a, rows[i + 4]);
  }
#endif
}

// ---- bfloat16: the upper half of a float32 ----

HEED_INLINE float float_of_bfloat16(uint16_t half) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(half) << 16);
}
HEED_INLINE Floats load_bfloat16(const uint16_t* from) {
  const Halves half = *reinterpret_cast<const LooseHalves*>(from);
  return as_floats(__builtin_convertvector(half, Words) << 16);
}
// Rounds to nearest even; NaN stays NaN.
HEED_INLINE Words bfloat16_words(Floats v) {
  const Words bits = as_words(v);
  const Words rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Words nan = reinterpret_cast<Words>(Ints(v != v));
  return (rounded & ~nan) | (((bits >> 16) | 0x40u) & nan);
}
HEED_INLINE void store_bfloat16(uint16_t* to, Floats v) {
  *reinterpret_cast<LooseHalves*>(to) = __builtin_convertvector(bfloat16_words(v), Halves);
}

// Two vectors rounded to bfloat16, lane by lane in one word: a in the lower half, b in the upper.
HEED_INLINE Words pair_of(Floats a, Floats b) {
#if defined(__AVX512BF16__) && HEED_LANES == 16
  typedef int16_t Shorts __attribute__((vector_size(64)));
  const Shorts order = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return reinterpret_cast<Words>(_mm512_permutexvar_epi16(
      reinterpret_cast<__m512i>(order), reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a))));
#else
  return bfloat16_words(a) | (bfloat16_words(b) << 16);
#endif
}

// Two vectors rounded to bfloat16, one after the other: 2 · kLanes numbers.
HEED_INLINE void store_bfloat16(uint16_t* to, Floats a, Floats b) {
#if defined(__AVX512BF16__) && HEED_LANES == 16
  _mm512_storeu_si512(to, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
#else
  store_bfloat16(to, a);
  store_bfloat16(to + kLanes, b);
#endif
}

}  // namespace heed::kernels::HEED_ISA
