#include "heed/kernels/matrix/brgemm.h"

#include <atomic>

namespace heed::kernels {
namespace {

std::atomic<const Brgemm*> registered{nullptr};

}  // namespace

void set_brgemm(const Brgemm* functions) { registered.store(functions); }
const Brgemm* brgemm() { return registered.load(); }

}  // namespace heed::kernels
