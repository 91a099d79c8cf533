// A StepDecoder of anything that gives logits for ids: a function, a torch::nn::Sequential, a model
// of one's own.
//
//   LogitsDecoder decoder([&](const at::Tensor& ids) { return model.forward(ids); });
//   generate(decoder, prompt, options);
//
// It reads all of a row anew in each step, so n tokens cost n passes over up to n tokens. Where
// that is too slow, a StepDecoder that keeps keys and values (tasks::LanguageModelDecoder) is the
// way.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "heed/inference/step_decoder.h"

namespace heed::inference {

class LogitsDecoder final : public StepDecoder {
 public:
  // ids (R, n) int64 -> (R, n, V), the logits of what follows each token, or (R, V), those of what
  // follows the last. Called without gradients.
  using Logits = std::function<at::Tensor(const at::Tensor& ids)>;

  // `capacity`: the most tokens that `logits` takes; 0: any number.
  explicit LogitsDecoder(Logits logits, int64_t capacity = 0);

  // Throws UsageError where the logits are of another shape.
  at::Tensor step(const at::Tensor& ids) override;
  void select(const at::Tensor& rows) override;
  void reset() override { ids_ = at::Tensor(); }
  int64_t capacity() const override { return capacity_; }

 private:
  Logits logits_;
  int64_t capacity_;
  at::Tensor ids_;  // (R, n) of all rows so far; undefined: none
};

}  // namespace heed::inference
