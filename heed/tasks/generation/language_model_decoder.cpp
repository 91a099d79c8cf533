#include "heed/tasks/generation/language_model_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "heed/tasks/common/task.h"

namespace heed::tasks {

at::Tensor LanguageModelDecoder::step(const at::Tensor& ids) {
  const c10::InferenceMode inference;
  return model_->next({.ids = ids.to(device_of(*model_))}, cache_).to(at::kFloat);
}

void LanguageModelDecoder::select(const at::Tensor& rows) {
  const c10::InferenceMode inference;
  cache_.select(rows);
}

void LanguageModelDecoder::reset() { cache_.clear(); }

}  // namespace heed::tasks
