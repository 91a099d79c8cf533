// Where the layers take the seeds of dropout from.
#pragma once

#include <cstdint>

namespace heed::nn {

// A new seed for the dropout of one call, from torch's default generator, whose state is what
// checkpoints save.
uint64_t draw_seed();

}  // namespace heed::nn
