// HEED_VERBOSE=1: says on stderr what computes each call, and why the ways before it were not
// taken. For whoever wonders why a call is slow; see docs/debugging.md. Without the variable it
// costs one load.
#pragma once

#include <string>

namespace heed::kernels {

// Whether the environment variable HEED_VERBOSE is set to anything but nothing and "0". Read once.
bool is_verbose();

// Writes "heed: " and the line to stderr.
void say_verbose(const std::string& line);

}  // namespace heed::kernels
