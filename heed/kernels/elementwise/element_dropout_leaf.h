// The source of element_dropout_ISA.cpp.
#pragma once

#include "heed/kernels/elementwise/element_dropout.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

void apply(const ElementDropoutTask& task) {
  const ElementDropout& p = *task.problem;
  const Words run_key = broadcast_word(task.run_key);
  const Words threshold = broadcast_word(task.threshold);
  for_each_vector(task.count, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
    const Words hash = dropout_mix(run_key, load_words(task.place_keys + i));
    const Floats x = read_typed(p.x, p.type, task.begin + i, n) * task.factor;
    Floats v = select(less_words(hash, threshold), zeros(), x);
    if (p.residual != nullptr) v += read_typed(p.residual, p.residual_type, task.begin + i, n);
    write_typed(p.output, p.output_type, task.begin + i, v, n);
  });
}

}  // namespace

const ElementDropoutTable kElementDropoutTable = {apply};

}  // namespace heed::kernels::HEED_ISA
