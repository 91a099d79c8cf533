// Memory for a packed matrix. A training step packs the same sizes again and again: the memory last
// given back by this thread is kept, so that its pages need not be asked for anew each time.
#pragma once

#include <cstdint>
#include <memory>

namespace heed::kernels {

// At least `bytes`, from the beginning of a line of the cache on, with any content.
std::shared_ptr<uint32_t[]> spare_words(int64_t bytes);

}  // namespace heed::kernels
