// The engines behind attention_forward and attention_backward: a list, best first; each says why
// it refuses a problem, and the first that does not refuse runs it. The last one, the tile engine,
// takes everything.
#pragma once

#include "heed/base/workers.h"
#include "heed/kernels/attention/problem.h"

namespace heed::kernels {

struct Engine {
  const char* name;
  // Null where the engine takes the problem, else why not.
  const char* (*refuses_forward)(const Problem& problem);
  const char* (*refuses_backward)(const Problem& problem, const BackwardArgs& args);
  void (*forward)(const Problem& problem, const ForwardResult& result, const Workers& workers);
  void (*backward)(const Problem& problem, const BackwardArgs& args, const Workers& workers);
};

// Every (query, key) block that the pattern does not leave out: forward.cpp and backward.cpp.
void tile_forward(const Problem& problem, const ForwardResult& result, const Workers& workers);
void tile_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers);

}  // namespace heed::kernels
