// heed::cross_entropy: the loss of a classifier, a language model or a translator.
//
//   loss = log Σ e^x − (1 − ε) · x[target] − ε · mean(x),  ε: label smoothing
//
// Szegedy et al. 2016, section 7; the same as torch's cross_entropy without class weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heed {

enum class Reduction : uint8_t {
  kMean,  // over the targets that are not ignored; NaN where all are
  kSum,
  kNone,  // one loss for each target, 0 where it is ignored
};

struct CrossEntropyOptions {
  double label_smoothing = 0;  // in [0, 1]
  int64_t ignored_target = -100;
  Reduction reduction = Reduction::kMean;
};

// logits (..., V), targets (...) int64 in [0, V) or the ignored one -> () or (...), float32 for
// logits of float32 and bfloat16. Differentiable, twice too. Those on a CPU go to Heed's own
// kernel: sums over rows in double, the same bits for any number of threads, and besides the
// logits and their gradient nothing as wide as V is made. Throws UsageError where shapes, dtypes or
// options do not fit, and DataError for a target that is no class.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                         const CrossEntropyOptions& options = {});

}  // namespace heed
