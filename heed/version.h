// Which Heed this is.
#pragma once

#include <string>

namespace heed {

// As "1.2.3".
const char* version();

// What this build is made of, for a report of a mistake, one thing a line: the commit, torch, the
// instruction set in use, and which parts no machine has run yet. UsageError where HEED_ISA names
// no instruction set of this CPU.
std::string about_this_build();

}  // namespace heed
