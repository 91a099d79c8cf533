#include "heed/models/graph_classifier.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {

void check(const GraphClassifierOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(o.d_model % o.num_heads == 0, "d_model: expected a multiple of num_heads (",
              o.num_heads, "), got ", o.d_model);
}

GraphClassifier::GraphClassifier(const GraphClassifierOptions& options) : options_(options) {
  check(options);
  const GraphClassifierOptions& o = options;
  for (int64_t i = 0; i < o.num_layers; ++i) {
    const bool last = i + 1 == o.num_layers;
    layers_.push_back(register_module(
        text_of("layer", i), std::make_shared<nn::GraphAttention>(nn::GraphAttentionOptions{
                                 .num_heads = last ? o.num_output_heads : o.num_heads,
                                 .size = last ? o.num_classes : o.d_model / o.num_heads,
                                 .score = o.score,
                                 .dropout = o.attention_dropout})));
    const int64_t size = layers_.back()->projected_size();
    if (i == 0) {
      input_ = register_module("input", std::make_shared<nn::SparseLinear>(o.num_features, size));
    } else {
      projections_.push_back(register_module(text_of("projection", i),
                                             std::make_shared<nn::Linear>(nn::LinearOptions{
                                                 .in = o.d_model, .out = size, .bias = false})));
    }
    biases_.push_back(
        register_parameter(text_of("bias", i), at::zeros({last ? o.num_classes : o.d_model})));
  }
  nn::init_linear_layers(*this, nn::Init::kXavierUniform);
}

at::Tensor GraphClassifier::projected(size_t layer, const nn::SparseMatrix& features,
                                      const at::Tensor& x) const {
  const double dropout = is_training() ? options_.dropout : 0;
  if (layer == 0) return input_->forward(features, dropout);
  return projections_[layer - 1]->forward(heed::dropout(x, {.probability = dropout}));
}

at::Tensor GraphClassifier::joined(size_t layer, const at::Tensor& heads) const {
  if (layer + 1 == layers_.size()) return heads.mean(1) + biases_[layer];
  return at::elu(heads.flatten(1) + biases_[layer]);
}

at::Tensor GraphClassifier::forward(const nn::SparseMatrix& features, const Pattern& edges) const {
  at::Tensor x;
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = joined(i, layers_[i]->forward(projected(i, features, x), edges));
  }
  return x;
}

}  // namespace heed::models
