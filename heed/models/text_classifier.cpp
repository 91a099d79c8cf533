#include "heed/models/text_classifier.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/layers/mean_pooling.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

TokenInputOptions input_options(const TextClassifierOptions& o) {
  TokenInputOptions input = input_options(o.transformer);
  input.vocab_size = o.vocab_size;
  input.pad_token_id = o.pad_token_id;
  input.embedding_std = o.embedding_std;
  input.scale = input_scale(input);
  input.dropout = o.transformer.embedding_dropout;
  return input;
}

}  // namespace

std::vector<std::string> document_kinds() { return {"whole", "sentences", "lines"}; }

void check(const TextClassifierOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(o.classes > 0, "classes: expected at least 1, got ", o.classes);
  check_usage(o.pad_token_id < o.vocab_size, "pad_token_id: expected an id below vocab_size ",
              o.vocab_size, ", got ", o.pad_token_id);
  check(o.transformer);
}

bool is_hierarchical(const TextClassifierOptions& options) { return options.documents != "whole"; }

DocumentEncoderOptions document_options(const TextClassifierOptions& options) {
  DocumentEncoderOptions documents{.transformer = options.transformer};
  documents.transformer.num_layers = options.num_sentence_layers;
  documents.transformer.max_length = options.max_sentences;
  documents.transformer.attention.pattern = "full";
  return documents;
}

TextClassifier::TextClassifier(const TextClassifierOptions& options) : options_(options) {
  check(options);
  const TokenInputOptions input = input_options(options);
  embedding_ = register_module("embedding", make_embedding(input));
  input_ = register_module("input", std::make_shared<TokenInput>(input, embedding_));
  const TransformerOptions& transformer = options.transformer;
  encoder_ = register_module(
      "encoder", std::make_shared<nn::Encoder>(transformer.num_layers, layer_options(transformer)));
  if (is_hierarchical(options)) {
    documents_ =
        register_module("documents", std::make_shared<DocumentEncoder>(document_options(options)));
  }
  classifier_ =
      register_module("classifier", std::make_shared<nn::Linear>(nn::LinearOptions{
                                        .in = transformer.d_model, .out = options.classes}));
  nn::init_linear_layers(*this, nn::init_from(transformer.init));
}

at::Tensor TextClassifier::forward(const DocumentBatch& batch, DocumentTrace* trace) const {
  const at::Tensor& lengths = batch.rows.lengths;
  at::Tensor x = input_->forward(batch.rows.ids);
  x = encoder_->forward(x, Pattern::full(), trace == nullptr ? nullptr : &trace->tokens, lengths);
  x = documents_ ? documents_->forward(x, batch, trace) : nn::mean_over_tokens(x, lengths);
  x = heed::dropout(x, {.probability = is_training() ? options_.transformer.dropout : 0});
  return classifier_->forward(x);
}

at::Tensor TextClassifier::forward(const TextBatch& batch) const {
  return forward(DocumentBatch{.rows = batch});
}

}  // namespace heed::models
