// q · k. With scale 1/√D: scaled dot-product attention (Vaswani et al. 2017, eq. 1).
#pragma once

#include "heed/kernels/attention/scores/score_leaf.h"

namespace heed::kernels::HEED_ISA {

struct Dot {
  static constexpr char kName[] = "dot";
  static constexpr bool kIsIdentity = true;
  static constexpr bool kHasTerms = false;
  static constexpr int kParameters = 0;

  static float query_term(const float*, int) { return 0; }
  static float key_term(const float*, int) { return 0; }
  static void add_query_term_gradient(const float*, int, float, float, float*) {}
  static void add_key_term_gradient(const float*, int, float, float, float*) {}

  static HEED_INLINE Floats value(Floats raw, Floats, Floats, Floats) { return raw; }
  static HEED_INLINE ScoreSlopes slopes(Floats, Floats, Floats, Floats) {
    return {broadcast(1), zeros(), zeros(), zeros()};
  }
};

}  // namespace heed::kernels::HEED_ISA
