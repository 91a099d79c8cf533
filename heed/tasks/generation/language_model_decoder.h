// A language model as generation and beam search use it.
#pragma once

#include <memory>
#include <utility>

#include "heed/inference/step_decoder.h"
#include "heed/models/language_model.h"
#include "heed/nn/attention/key_value_cache.h"

namespace heed::tasks {

// Keeps the keys and values of what was read. Without gradients.
class LanguageModelDecoder final : public inference::StepDecoder {
 public:
  // In evaluation mode; its parameters may be of any floating-point dtype.
  explicit LanguageModelDecoder(std::shared_ptr<const models::LanguageModel> model)
      : model_(std::move(model)) {}

  at::Tensor step(const at::Tensor& ids) override;
  void select(const at::Tensor& rows) override;
  void reset() override;

  // The context that the model was trained with: beyond it, positions are a table that ends
  // (learned, sinusoidal) or distances that were never seen.
  int64_t capacity() const override { return model_->options().transformer.max_length; }

 private:
  std::shared_ptr<const models::LanguageModel> model_;
  nn::DecoderCache cache_;
};

}  // namespace heed::tasks
