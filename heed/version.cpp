#include "heed/version.h"

#include <string>

#include "heed/base/error.h"
#include "heed/kernels/vector/isa.h"
#include "heed_commit.h"  // written by cmake/commit.cmake

namespace heed {

const char* version() { return HEED_VERSION; }

std::string about_this_build() {
  const char* cuda = HEED_TORCH_CUDA ? "CUDA, NCCL and float16"
                                     : "CUDA, NCCL and float16, which this build leaves out";
  return text_of("commit: ", HEED_COMMIT, "\ntorch: ", HEED_TORCH_BUILD,
                 "\ninstruction set: ", kernels::isa_name(),
                 "\nnever run yet: the code for AMX; for ", cuda, "\n");
}

}  // namespace heed
