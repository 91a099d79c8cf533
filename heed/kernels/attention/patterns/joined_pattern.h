// Two patterns as one: `and` allows what both allow, `or` what at least one allows.
#pragma once

#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

// null means full, as everywhere.
PatternPtr both(PatternPtr left, PatternPtr right);
PatternPtr either(PatternPtr left, PatternPtr right);

}  // namespace heed::kernels
