// HEED_VERBOSE=1: says on stderr which engine runs each call of attention, on which instruction set
// and on how many threads, and why the engines before it refused. For whoever wonders why a call is
// slow; see docs/debugging.md. Without the variable it costs one load.
#pragma once

#include <string>

#include "heed/kernels/attention/problem.h"

namespace heed::kernels {

// Whether the environment variable HEED_VERBOSE is set to anything but nothing and "0". Read once.
bool is_verbose();

// "B8 H12/4 N512x2048 D64/64 float32 scaled by 0.125, softcap, alibi, dropout 0.1"
std::string described(const Problem& problem);

// Writes "heed: " and the line to stderr.
void say_verbose(const std::string& line);

}  // namespace heed::kernels
