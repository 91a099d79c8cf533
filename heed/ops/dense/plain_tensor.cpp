#include "heed/ops/dense/plain_tensor.h"

#include <ATen/ATen.h>

#include "heed/base/large_pages.h"
#include "heed/ops/attention/transforms.h"

namespace heed {

// Under the transforms of torch.func a tensor may stand for another, and has no memory of its own.
bool is_plain(const at::Tensor& t) {
  const bool readable = !in_functorch() && t.device().is_cpu() && t.layout() == at::kStrided &&
                        !t.is_neg() && !t._is_zerotensor() && !t._fw_grad(0).defined();
  return readable && (t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16);
}

kernels::DataType data_type_of(const at::Tensor& t) {
  return t.scalar_type() == at::kFloat ? kernels::DataType::kFloat32 : kernels::DataType::kBFloat16;
}

at::Tensor as_float_row(const at::Tensor& t) {
  return t.defined() ? t.detach().to(at::kFloat).contiguous() : t;
}

at::Tensor empty_in_large_pages(at::IntArrayRef sizes, const at::TensorOptions& options) {
  at::Tensor result = at::empty(sizes, options);
  if (result.is_cpu()) prefer_large_pages(result.mutable_data_ptr(), result.nbytes());
  return result;
}

}  // namespace heed
