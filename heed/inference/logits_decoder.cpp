#include "heed/inference/logits_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <utility>

#include "heed/base/error.h"

namespace heed::inference {

LogitsDecoder::LogitsDecoder(Logits logits, int64_t capacity)
    : logits_(std::move(logits)), capacity_(capacity) {
  check_usage(logits_ != nullptr, "decoder: expected a function that gives logits, got none");
  check_usage(capacity >= 0, "decoder: expected a capacity of 0 or more, got ", capacity);
}

at::Tensor LogitsDecoder::step(const at::Tensor& ids) {
  const c10::AutoGradMode no_gradients(false);
  ids_ = ids_.defined() ? at::cat({ids_, ids}, 1) : ids;
  const at::Tensor logits = logits_(ids_);
  const bool of_each = logits.dim() == 3;
  check_usage((of_each && logits.size(1) == ids_.size(1)) || logits.dim() == 2,
              "decoder: expected logits (", ids_.size(0), ", ", ids_.size(1), ", V) or (",
              ids_.size(0), ", V), got ", logits.sizes());
  check_usage(logits.size(0) == ids_.size(0), "decoder: expected logits of ", ids_.size(0),
              " rows, got ", logits.sizes());
  return (of_each ? logits.select(1, -1) : logits).to(at::kFloat);
}

void LogitsDecoder::select(const at::Tensor& rows) {
  if (ids_.defined()) ids_ = ids_.index_select(0, rows);
}

}  // namespace heed::inference
