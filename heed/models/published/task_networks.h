// Published models as the networks of Heed's tasks, which read, answer and learn with them as with
// their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/models/image_classifier.h"
#include "heed/models/published/preprocessor.h"
#include "heed/models/published/published.h"
#include "heed/models/question_answerer.h"
#include "heed/models/text_classifier.h"
#include "heed/models/token_tagger.h"

namespace heed::models::published {

// A text is read as a whole.
class PublishedClassifier final : public TextClassifier {
 public:
  // Of a model for sequence classification, and texts of at most so many tokens.
  PublishedClassifier(std::shared_ptr<Published> model, int64_t max_length);

  at::Tensor forward(const DocumentBatch& batch, DocumentTrace* trace = nullptr) const override;

 private:
  std::shared_ptr<Published> model_;
};

// What a model for token classification says of the first piece of a word is said of the word. The
// labels are tags of a scheme: BIOES where one of them is an E- or S-, IOB1 where none is a B-,
// otherwise BIO; labels without a letter are types.
class PublishedTagger final : public TokenTagger {
 public:
  explicit PublishedTagger(std::shared_ptr<Published> model);

  // Of a batch of pieces.
  at::Tensor forward(const WordBatch& batch, nn::AttentionTrace* trace = nullptr) const override;

 private:
  std::shared_ptr<Published> model_;
  at::Tensor columns_;  // (K) int64: the label that is each tag
  at::Tensor missing_;  // (K) bool: tags that the model does not have
};

// A model for question answering: units are tokens, special tokens among them, at most so many.
class PublishedAnswerer final : public QuestionAnswerer {
 public:
  PublishedAnswerer(std::shared_ptr<Published> model, int64_t max_length);

  at::Tensor forward(const QuestionBatch& batch,
                     nn::AttentionTrace* trace = nullptr) const override;

 private:
  std::shared_ptr<Published> model_;
};

// A model for image classification; patches are squares.
class PublishedImageClassifier final : public ImageClassifier {
 public:
  // Of pictures of this size, which may be another than the model's. Throws DataError for patches
  // that are no squares.
  PublishedImageClassifier(std::shared_ptr<Published> model, const ImagePreparation& pictures);

  at::Tensor forward(const at::Tensor& images, nn::AttentionTrace* trace = nullptr) const override;

 private:
  std::shared_ptr<Published> model_;
};

// How the labels of a tagger are to be read.
struct TagLabels {
  text::TagScheme scheme = text::TagScheme::kBio;
  std::vector<std::string> types;  // sorted
  bool plain = false;              // labels are types, without a letter
};
TagLabels tag_labels(const std::vector<std::string>& labels);

}  // namespace heed::models::published
