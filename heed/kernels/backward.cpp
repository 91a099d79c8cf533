#include "heed/kernels/engine.h"
namespace heed::kernels {
void tile_backward(const Problem&, const BackwardArgs&, const Workers&) {}
}  // namespace heed::kernels
