// The classifier that tutorials draw:
//
//   ids (B, N) -> embedding (B, N, C) + positions -> encoder (B, N, C)
//              -> mean over the real tokens (B, C) -> linear -> logits (B, classes)
//
// or, for documents, with attention over words and then over sentences (document_encoder.h) in
// place of the mean.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/document_encoder.h"
#include "heed/models/parts/text_batch.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/embedding.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

class TokenInput;

struct TextClassifierOptions {
  int64_t vocab_size = 10'000;  // V
  int64_t classes = 2;
  int64_t pad_token_id = 0;
  // C, H and the rest; `max_length` in tokens: longer texts are cut.
  TransformerOptions transformer = {
      .num_layers = 1, .activation = "relu", .norm_first = false, .init = "xavier_uniform"};
  double embedding_std = 0.02;
  // How a text is read: "whole", or by hierarchical attention over its "sentences" or its "lines".
  std::string documents = "whole";
  int64_t max_sentences = 64;       // of a document; those beyond are cut
  int64_t num_sentence_layers = 1;  // of the encoder over sentences
};

bool is_hierarchical(const TextClassifierOptions& options);

// All but the classes, which have names.
std::vector<std::string> document_kinds();

template <nn::OptionsOf<TextClassifierOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(nn::size_field("vocab_size"), o.vocab_size);
  visit(Field{.name = "pad_token_id", .most = nn::kLargestSize}, o.pad_token_id);
  visit(nn::std_field(), o.embedding_std);
  visit(Field{.name = "documents",
              .help = "How a text is read: whole, or by hierarchical attention over its words and "
                      "then its sentences or its lines",
              .choices = document_kinds,
              .may_be_missing = true},
        o.documents);
  visit(Field{.name = "max_sentences",
              .help = "Sentences of a document; what is beyond is cut",
              .least = 1,
              .most = 1 << 16,
              .may_be_missing = true},
        o.max_sentences);
  visit(Field{.name = "num_sentence_layers",
              .help = "Layers of the encoder over sentences",
              .least = 1,
              .most = nn::kMostLayers,
              .may_be_missing = true},
        o.num_sentence_layers);
  visit_fields(o.transformer, visit);
}

// The sizes and the attention of the encoder over sentences: those over words, each sentence seeing
// all others.
DocumentEncoderOptions document_options(const TextClassifierOptions& options);

// Throws UsageError naming the field that cannot be used.
void check(const TextClassifierOptions& options);

class TextClassifier : public torch::nn::Module {
 public:
  explicit TextClassifier(const TextClassifierOptions& options);

  // Logits (B, classes). What stands in the padding, and how much of it there is, has no influence.
  virtual at::Tensor forward(const DocumentBatch& batch, DocumentTrace* trace = nullptr) const;
  // Each row a text of its own.
  at::Tensor forward(const TextBatch& batch) const;

  const TextClassifierOptions& options() const { return options_; }

 protected:
  // Of a network that another class makes.
  struct OwnNetwork {};
  TextClassifier(const TextClassifierOptions& options, OwnNetwork) : options_(options) {}

 private:
  TextClassifierOptions options_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<TokenInput> input_;
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<DocumentEncoder> documents_;  // null: texts are read as a whole
  std::shared_ptr<nn::Linear> classifier_;
};

}  // namespace heed::models
