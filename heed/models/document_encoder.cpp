#include "heed/models/document_encoder.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/models/parts/token_input.h"

namespace heed::models {

DocumentBatch DocumentBatch::to(at::Device device) const {
  DocumentBatch there{.rows = rows.to(device)};
  if (sentences.defined()) there.sentences = sentences.to(device);
  return there;
}

at::Tensor rows_by_document(const at::Tensor& rows, const at::Tensor& counts) {
  const auto documents = counts.size(0);
  const auto* count = counts.const_data_ptr<int64_t>();
  const int64_t most = std::max<int64_t>(1, *std::max_element(count, count + documents));
  // Behind the last row stands one of zeros, which fills up.
  at::Tensor places = at::full({documents, most}, rows.size(0), at::kLong);
  auto* place = places.mutable_data_ptr<int64_t>();
  int64_t row = 0;
  for (int64_t b = 0; b < documents; ++b) {
    for (int64_t m = 0; m < count[b]; ++m) place[b * most + m] = row++;
  }
  check_usage(row <= rows.size(0), "documents: expected ", row, " sentences, got ", rows.size(0));
  const at::Tensor filled = at::cat({rows, at::zeros({1, rows.size(1)}, rows.options())});
  return filled.index_select(0, places.flatten().to(rows.device()))
      .view({documents, most, rows.size(1)});
}

DocumentEncoder::DocumentEncoder(const DocumentEncoderOptions& options) {
  const TransformerOptions& o = options.transformer;
  token_pooling_ =
      register_module("token_pooling", std::make_shared<nn::AttentionPooling>(o.d_model));
  const nn::PositionsOptions sizes{.max_length = o.max_length, .d_model = o.d_model};
  positions_ = make_positions(o.attention.positions, sizes);
  if (positions_) register_module("positions", positions_);
  encoder_ =
      register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer_options(o)));
  sentence_pooling_ =
      register_module("sentence_pooling", std::make_shared<nn::AttentionPooling>(o.d_model));
}

at::Tensor DocumentEncoder::forward(const at::Tensor& tokens, const DocumentBatch& batch,
                                    DocumentTrace* trace) const {
  const at::Tensor lengths = batch.rows.lengths;
  const at::Tensor counts =
      batch.sentences.defined() ? batch.sentences : at::ones({tokens.size(0)}, lengths.options());
  at::Tensor x =
      token_pooling_->forward(tokens, lengths, trace == nullptr ? nullptr : &trace->token_weights);
  x = rows_by_document(x, counts.to(at::kCPU));
  if (positions_) x = positions_->forward(x);
  x = encoder_->forward(x, Pattern::full(), nullptr, counts);
  return sentence_pooling_->forward(x, counts,
                                    trace == nullptr ? nullptr : &trace->sentence_weights);
}

}  // namespace heed::models
