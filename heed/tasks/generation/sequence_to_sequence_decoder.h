// An encoder-decoder as generation and beam search use it.
#pragma once

#include <memory>
#include <utility>

#include "heed/inference/step_decoder.h"
#include "heed/models/encoder_decoder.h"
#include "heed/nn/decoder.h"

namespace heed::tasks {

// Writes the targets of some sources: row b of the first step belongs to source b. Keeps the keys
// and values of what was read, and those of each source as long as a row is left of it. Without
// gradients.
class SequenceToSequenceDecoder final : public inference::StepDecoder {
 public:
  // The model is in evaluation mode; its parameters may be of any floating-point dtype.
  SequenceToSequenceDecoder(std::shared_ptr<const models::EncoderDecoder> model,
                            const models::TextBatch& sources);
  // Of sources that are encoded.
  SequenceToSequenceDecoder(std::shared_ptr<const models::EncoderDecoder> model, nn::Memory memory);

  at::Tensor step(const at::Tensor& ids) override;
  void select(const at::Tensor& rows) override;
  void reset() override;
  int64_t capacity() const override { return model_->options().transformer.max_length; }

 private:
  std::shared_ptr<const models::EncoderDecoder> model_;
  nn::Memory memory_;
  nn::DecoderCache cache_;
};

}  // namespace heed::tasks
