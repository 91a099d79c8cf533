// at::native::cpublas::brgemm is a C++ symbol of libtorch and no part of its stable ABI: it is
// named here alone. A torch without it has no kernel to register, and the kernels multiply by
// themselves.
#include "heed/ops/dense/onednn_brgemm.h"

#if __has_include(<ATen/native/CPUBlas.h>)
#include <ATen/native/CPUBlas.h>
#endif

#include "heed/kernels/matrix/brgemm.h"

namespace heed {

#ifdef CPUBLAS_BRGEMM_BF16BF16F32
namespace {

void multiply(const kernels::BrgemmProduct& p) {
  at::native::cpublas::brgemm(p.rows, p.columns, p.depth, p.a_stride, p.b_stride, p.c_stride,
                              p.adds, reinterpret_cast<const at::BFloat16*>(p.a),
                              static_cast<const at::BFloat16*>(p.b), p.c);
}

constexpr kernels::Brgemm kBrgemm = {.multiply = multiply,
                                     .release = [] { at::native::cpublas::brgemm_release(); }};

}  // namespace

void use_brgemm() {
  static const bool once = [] {
    kernels::set_brgemm(&kBrgemm);
    return true;
  }();
  (void)once;
}
#else
void use_brgemm() {}
#endif

}  // namespace heed
