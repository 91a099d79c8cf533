#include "heed/kernels/vector/testing/math.h"

#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

const MathTable& math_table() { return HEED_PICK_ISA(kMathTable); }

}  // namespace heed::kernels
