// Sounds to classes: a Conformer reads the energies of a sound, the mean over its steps gives the
// class.                                                                        Gulati et al. 2020
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/speech_encoder.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct SpeechClassifierOptions {
  int64_t num_classes = 0;
  SpeechOptions speech = {};
};

template <nn::OptionsOf<SpeechClassifierOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "num_classes", .least = 2, .most = nn::kLargestSize}, o.num_classes);
  visit_fields(o.speech, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const SpeechClassifierOptions& options);

class SpeechClassifier : public torch::nn::Module {
 public:
  explicit SpeechClassifier(const SpeechClassifierOptions& options);

  // As SpeechEncoder::forward -> logits (B, classes).
  at::Tensor forward(const at::Tensor& frames, const at::Tensor& lengths = {},
                     nn::AttentionTrace* trace = nullptr) const;

  const SpeechClassifierOptions& options() const { return options_; }

 private:
  SpeechClassifierOptions options_;
  std::shared_ptr<SpeechEncoder> encoder_;
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace heed::models
