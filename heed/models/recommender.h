// A transformer over what a user took, which says of every item how likely it is to come next.
//                               Kang and McAuley 2018, "Self-Attentive Sequential Recommendation"
//
//   items (B, N) -> embedding + positions (B, N, C) -> decoder (B, N, C) -> products with the same
//   embedding (B, N, V)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/text_batch.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/decoder.h"
#include "heed/nn/layers/embedding.h"

namespace heed::models {

struct RecommenderOptions {
  int64_t num_items = 0;  // V
  double embedding_std = 0.02;
  TransformerOptions transformer = {.d_model = 64,
                                    .num_heads = 2,
                                    .num_layers = 2,
                                    .d_ff = 256,
                                    .max_length = 50,  // of a history: the last so many items
                                    .attention = {.positions = "learned"},
                                    .dropout = 0.5,
                                    .attention_dropout = 0.5,
                                    .embedding_dropout = 0.5};
};

template <nn::OptionsOf<RecommenderOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("num_items"), o.num_items);
  visit(nn::std_field(), o.embedding_std);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const RecommenderOptions& options);

class Recommender : public torch::nn::Module {
 public:
  explicit Recommender(const RecommenderOptions& options);

  // Scores (B, V) of what follows the last item of each row, which must have one. At most
  // max_length items a row.
  at::Tensor next(const TextBatch& histories, nn::AttentionTrace* trace = nullptr) const;

  // Items (...) int64 -> their vectors (..., C).
  at::Tensor vectors(const at::Tensor& items) const { return embedding_->forward(items); }

  // Vectors of histories (B, N, C) -> states (B, N, C): of each item and those before it.
  at::Tensor states(const at::Tensor& vectors, const nn::DecoderContext& context) const;

  // States (..., C) -> scores (..., V).
  at::Tensor scores(const at::Tensor& states) const;

  const RecommenderOptions& options() const { return options_; }

 private:
  RecommenderOptions options_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  nn::Norm norm_;                                 // of an embedding that starts small
  std::shared_ptr<nn::Decoder> decoder_;
};

}  // namespace heed::models
