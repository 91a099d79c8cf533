// heed::layer_norm and heed::rms_norm over the last dimension, and both with the sum of a residual
// stream in the same pass.
//
//   layer norm:  (x − mean) / √(variance + ε) · weight + bias      Ba, Kiros & Hinton 2016, eq. 4
//   RMS norm:    x / √(mean(x²) + ε) · weight                      Zhang & Sennrich 2019, eq. 4
//
// x and residual (..., C), weight and bias (C) or undefined. Differentiable, twice too. float32 and
// bfloat16 on a CPU go to Heed's own kernels, with statistics in float32 and the same bits for any
// number of threads; everything else goes through torch's operators. The output has the dtype of
// what is normalised. Throws UsageError where the shapes do not fit.
#pragma once

#include <ATen/core/Tensor.h>

namespace heed {

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {},
                      double epsilon = 1e-5);
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon = 1e-6);

struct ResidualNorm {
  at::Tensor sum;         // x + residual, of the wider of their dtypes
  at::Tensor normalised;  // the norm of it
};
ResidualNorm add_layer_norm(const at::Tensor& x, const at::Tensor& residual,
                            const at::Tensor& weight, const at::Tensor& bias = {},
                            double epsilon = 1e-5);
ResidualNorm add_rms_norm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight,
                          double epsilon = 1e-6);

}  // namespace heed
