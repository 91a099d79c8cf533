#include "heed/models/speech_classifier.h"

#include "heed/nn/layers/mean_pooling.h"
#include "heed/nn/parameters/init.h"

namespace heed::models {

void check(const SpeechClassifierOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.speech);
}

SpeechClassifier::SpeechClassifier(const SpeechClassifierOptions& options) : options_(options) {
  check(options);
  encoder_ = register_module("encoder", std::make_shared<SpeechEncoder>(options.speech));
  head_ = register_module(
      "head", std::make_shared<nn::Linear>(nn::LinearOptions{
                  .in = options.speech.transformer.d_model, .out = options.num_classes}));
  nn::init_linear_layers(*this, nn::init_from(options.speech.transformer.init));
}

at::Tensor SpeechClassifier::forward(const at::Tensor& frames, const at::Tensor& lengths,
                                     nn::AttentionTrace* trace) const {
  const auto read = encoder_->forward(frames, lengths, trace);
  return head_->forward(nn::mean_over_tokens(read.states, read.lengths));
}

}  // namespace heed::models
