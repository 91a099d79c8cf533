// A call of attention as the kernels want it: pointers and strides, and the tensors behind them.
#pragma once

#include "heed/kernels/attention/attention.h"
#include "heed/ops/attention/argument_checks.h"
#include "heed/ops/attention/operators.h"

namespace heed {

// A copy only where the last dimension is not contiguous.
at::Tensor contiguous_rows(const at::Tensor& tensor);

kernels::ConstArray array_of(const at::Tensor& tensor);

// null where the tensor is undefined.
const float* floats_of(const at::Tensor& tensor);

// A problem together with the tensors that its pointers point into.
struct FusedProblem {
  AttentionSizes sizes;
  kernels::Problem problem;
  PerInput<at::Tensor> inputs;  // as the kernels read them; undefined where there is none

  explicit FusedProblem(const AttentionCall& call);

  bool is_empty() const {
    return sizes.batch == 0 || sizes.heads == 0 || sizes.queries == 0 || sizes.keys == 0;
  }

 private:
  void set_score(const AttentionOptions& options);
  void set_modifiers(const AttentionOptions& options);
};

}  // namespace heed
