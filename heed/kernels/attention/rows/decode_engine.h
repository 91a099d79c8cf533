// Attention of a few queries over many keys: decoding with a KV cache. The keys are cut into
// pieces of a fixed size that workers attend to apart, and the parts are merged in the order of
// the pieces. Keys and values are read once for all query heads that share them, straight from
// where they lie, so that the time is that of reading the cache.
#pragma once

#include "heed/base/workers.h"
#include "heed/kernels/attention/problem.h"

namespace heed::kernels {

// Null where the decode engine takes the problem, else why not.
const char* decode_refuses_forward(const Problem& problem);
const char* decode_refuses_backward(const Problem& problem, const BackwardArgs& args);

void decode_forward(const Problem& problem, const ForwardResult& result, const Workers& workers);

}  // namespace heed::kernels
