#include "heed/kernels/math.h"

#include "heed/kernels/isa.h"

namespace heed::kernels {

const MathTable& math_table() { return HEED_PICK_ISA(kMathTable); }

}  // namespace heed::kernels
