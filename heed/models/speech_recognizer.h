// Sounds to text: a Conformer reads the energies of a sound and says of each step which token is
// heard there, or none.                                 Graves et al. 2006 (CTC), Gulati et al.
// 2020
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/speech_encoder.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct SpeechRecognizerOptions {
  int64_t num_tokens = 0;  // V, the blank (0) among them
  SpeechOptions speech = {};
};

template <nn::OptionsOf<SpeechRecognizerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "num_tokens", .least = 2, .most = nn::kLargestSize}, o.num_tokens);
  visit_fields(o.speech, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const SpeechRecognizerOptions& options);

class SpeechRecognizer : public torch::nn::Module {
 public:
  explicit SpeechRecognizer(const SpeechRecognizerOptions& options);

  // As SpeechEncoder::forward, with log-probabilities (B, N, V) in place of the states.
  nn::Subsampling::Result forward(const at::Tensor& frames, const at::Tensor& lengths = {},
                                  nn::AttentionTrace* trace = nullptr) const;

  const SpeechRecognizerOptions& options() const { return options_; }

 private:
  SpeechRecognizerOptions options_;
  std::shared_ptr<SpeechEncoder> encoder_;
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace heed::models
