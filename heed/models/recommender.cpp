#include "heed/models/recommender.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/models/parts/last_token.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"
#include "heed/ops/linear.h"

namespace heed::models {

void check(const RecommenderOptions& options) {
  visit_fields(options, nn::FieldCheck());
  check(options.transformer);
}

Recommender::Recommender(const RecommenderOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  TokenInputOptions input = input_options(o);
  input.vocab_size = options.num_items;
  input.embedding_std = options.embedding_std;
  embedding_ = register_module("embedding", make_embedding(input));
  positions_ = make_positions(input.positions, {.max_length = o.max_length, .d_model = o.d_model});
  if (positions_) register_module("positions", positions_);
  if (input.small_embedding) norm_ = nn::Norm(*this, "norm", {.d_model = o.d_model});
  decoder_ =
      register_module("decoder", std::make_shared<nn::Decoder>(o.num_layers, layer_options(o)));
  nn::init_linear_layers(*this, nn::init_from(o.init));
}

at::Tensor Recommender::states(const at::Tensor& vectors, const nn::DecoderContext& context) const {
  const TransformerOptions& o = options_.transformer;
  check_usage(vectors.size(1) <= o.max_length, "history: expected at most max_length (",
              o.max_length, ") items, got ", vectors.size(1));
  // What an item is must outweigh where it stands, or nothing is learned but what is popular.
  at::Tensor x = norm_.forward(vectors * input_scale(input_options(o)));
  if (positions_) x = positions_->forward(x);
  x = heed::dropout(x, {.probability = is_training() ? o.embedding_dropout : 0});
  return decoder_->forward(x, context);
}

at::Tensor Recommender::scores(const at::Tensor& states) const {
  return heed::linear(states, embedding_->weight);
}

at::Tensor Recommender::next(const TextBatch& histories, nn::AttentionTrace* trace) const {
  const at::Tensor all =
      states(vectors(histories.ids), {.lengths = histories.lengths, .trace = trace});
  return scores(last_token(all, histories.lengths));
}

}  // namespace heed::models
