#include "heed/models/speech_recognizer.h"

#include <ATen/ATen.h>

#include "heed/nn/parameters/init.h"

namespace heed::models {

void check(const SpeechRecognizerOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.speech);
}

SpeechRecognizer::SpeechRecognizer(const SpeechRecognizerOptions& options) : options_(options) {
  check(options);
  encoder_ = register_module("encoder", std::make_shared<SpeechEncoder>(options.speech));
  head_ = register_module(
      "head", std::make_shared<nn::Linear>(nn::LinearOptions{
                  .in = options.speech.transformer.d_model, .out = options.num_tokens}));
  nn::init_linear_layers(*this, nn::init_from(options.speech.transformer.init));
}

nn::Subsampling::Result SpeechRecognizer::forward(const at::Tensor& frames,
                                                  const at::Tensor& lengths,
                                                  nn::AttentionTrace* trace) const {
  nn::Subsampling::Result result = encoder_->forward(frames, lengths, trace);
  result.states = at::log_softmax(head_->forward(result.states), -1);
  return result;
}

}  // namespace heed::models
