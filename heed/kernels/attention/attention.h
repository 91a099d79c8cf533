// Fused exact attention, forward and backward. problem.h has the formula, the shapes and what holds
// for masked rows; engine.h how an engine is chosen.
//
// Bits: the result depends on the arguments alone, never on workers.count().
#pragma once

#include "heed/base/workers.h"
#include "heed/kernels/attention/problem.h"

namespace heed::kernels {

void attention_forward(const Problem& problem, const ForwardResult& result, const Workers& workers);
void attention_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers);

}  // namespace heed::kernels
