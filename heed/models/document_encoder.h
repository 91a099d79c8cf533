// Documents by hierarchical attention: words make sentences, sentences make the document.
//
//   tokens of a sentence (N, C) -> attention pooling -> a sentence (C)
//   sentences of a document (M, C) + positions -> encoder (M, C) -> attention pooling -> (C)
//
// Yang et al. 2016, figure 2, with an encoder of self-attention in place of a recurrent one.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/text_batch.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/attention_pooling.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/encoder.h"

namespace heed::models {

// Texts, or documents as their sentences.
struct DocumentBatch {
  TextBatch rows;             // texts; or sentences, those of a document one after the other
  at::Tensor sentences = {};  // (B) int64, rows of each document; undefined: each row is a document

  DocumentBatch to(at::Device device) const;
};

// What a forward pass attended to. The last two only where there are sentences.
struct DocumentTrace {
  nn::AttentionTrace tokens;    // in the encoder of the words: (rows, H, N, N) a layer
  at::Tensor token_weights;     // (rows, N), of the tokens in their sentence
  at::Tensor sentence_weights;  // (B, M), of the sentences in their document
};

struct DocumentEncoderOptions {
  // Of the encoder over sentences: `num_layers` of it, `max_length` sentences at most.
  TransformerOptions transformer = {};
};

class DocumentEncoder : public torch::nn::Module {
 public:
  explicit DocumentEncoder(const DocumentEncoderOptions& options);

  // The encoded tokens of the batch's rows (rows, N, C) -> (B, C); zeros for a document without
  // sentences.
  at::Tensor forward(const at::Tensor& tokens, const DocumentBatch& batch,
                     DocumentTrace* trace = nullptr) const;

 private:
  std::shared_ptr<nn::AttentionPooling> token_pooling_;
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::AttentionPooling> sentence_pooling_;
};

// (rows, C) -> (B, M, C): the rows of each document side by side, M the most that one of `counts`
// (B) int64 in CPU memory says; zeros behind them.
at::Tensor rows_by_document(const at::Tensor& rows, const at::Tensor& counts);

}  // namespace heed::models
