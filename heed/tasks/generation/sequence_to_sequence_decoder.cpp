#include "heed/tasks/generation/sequence_to_sequence_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "heed/tasks/common/task.h"

namespace heed::tasks {
namespace {

nn::Memory encoded(const models::EncoderDecoder& model, const models::TextBatch& sources) {
  const c10::InferenceMode inference;
  return model.encode(sources.to(device_of(model)));
}

}  // namespace

SequenceToSequenceDecoder::SequenceToSequenceDecoder(
    std::shared_ptr<const models::EncoderDecoder> model, const models::TextBatch& sources)
    : model_(std::move(model)), memory_(encoded(*model_, sources)) {}

SequenceToSequenceDecoder::SequenceToSequenceDecoder(
    std::shared_ptr<const models::EncoderDecoder> model, nn::Memory memory)
    : model_(std::move(model)), memory_(std::move(memory)) {}

at::Tensor SequenceToSequenceDecoder::step(const at::Tensor& ids) {
  const c10::InferenceMode inference;
  return model_->next({.ids = ids.to(device_of(*model_))}, memory_, cache_).to(at::kFloat);
}

void SequenceToSequenceDecoder::select(const at::Tensor& rows) {
  const c10::InferenceMode inference;
  cache_.select(rows);
}

void SequenceToSequenceDecoder::reset() { cache_.clear(); }

}  // namespace heed::tasks
