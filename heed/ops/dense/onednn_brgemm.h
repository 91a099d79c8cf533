// Matrix products of bfloat16 by torch's oneDNN, which uses AMX where the CPU has it.
#pragma once

namespace heed {

// Registers them with the kernels, once.
void use_brgemm();

}  // namespace heed
