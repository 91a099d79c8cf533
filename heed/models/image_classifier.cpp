#include "heed/models/image_classifier.h"

#include <ATen/ATen.h>

#include "heed/models/parts/token_input.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

const ImageClassifierOptions& checked_image_options(const ImageClassifierOptions& options) {
  check(options);
  return options;
}

}  // namespace

void check(const ImageClassifierOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.transformer);
  check(stem_options(o));
}

PatchGrid patch_grid(const ImageClassifierOptions& o) { return patch_grid(stem_options(o)); }

ImageClassifier::ImageClassifier(const ImageClassifierOptions& options)
    : options_(checked_image_options(options)) {
  stem_.emplace(*this, stem_options(options));
  const TransformerOptions& transformer = options.transformer;
  const int64_t size = transformer.d_model;
  reader_ = at::empty({size});
  if (nn::init_is_on()) reader_.normal_(0, 0.02);
  reader_ = register_parameter("reader", reader_);
  positions_ = make_positions(transformer.attention.positions,
                              {.max_length = 1 + patch_grid(options).count(), .d_model = size});
  if (positions_) register_module("positions", positions_);
  encoder_ = register_module(
      "encoder", std::make_shared<nn::Encoder>(transformer.num_layers, layer_options(transformer)));
  output_ = register_module("output", std::make_shared<nn::Linear>(nn::LinearOptions{
                                          .in = size, .out = options.num_classes}));
  nn::init_linear_layers(*this, nn::init_from(transformer.init));
}

at::Tensor ImageClassifier::forward(const at::Tensor& images, nn::AttentionTrace* trace) const {
  const at::Tensor patches = stem_->forward(images);
  const at::Tensor reader = reader_.expand({images.size(0), 1, -1});
  at::Tensor x = at::cat({reader, patches}, 1);
  if (positions_) x = positions_->forward(x);
  const double dropout = is_training() ? options_.transformer.embedding_dropout : 0;
  x = heed::dropout(x, {.probability = dropout});
  return output_->forward(encoder_->forward(x, Pattern::full(), trace).select(1, 0));
}

}  // namespace heed::models
