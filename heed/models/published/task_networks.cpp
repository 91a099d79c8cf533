#include "heed/models/published/task_networks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "heed/base/error.h"

namespace heed::models::published {
namespace {

TextClassifierOptions classifier_options(const Published& model, int64_t max_length) {
  TextClassifierOptions options{.vocab_size = model.vocab_size(),
                                .classes = std::ssize(model.labels()),
                                .pad_token_id = model.pad_token_id(),
                                .transformer = model.transformer()};
  options.transformer.max_length = max_length;
  return options;
}

// A sentence of that many words fits, whatever pieces they are of (WordReader).
constexpr int64_t kPiecesOfAWord = 4;

TokenTaggerOptions tagger_options(const Published& model) {
  TagLabels labels = tag_labels(model.labels());
  TokenTaggerOptions options{.types = std::move(labels.types),
                             .words = {.subword_vocab_size = model.vocab_size(),
                                       .subword_pad_token_id = model.pad_token_id(),
                                       .character_dim = 0,
                                       .shape_dim = 0},
                             .transformer = model.transformer(),
                             .output = "softmax"};
  options.tag_scheme = text::name_of(labels.scheme);
  options.transformer.max_length =
      std::max<int64_t>(1, options.transformer.max_length / kPiecesOfAWord);
  return options;
}

QuestionAnswererOptions answerer_options(const Published& model, int64_t max_length) {
  QuestionAnswererOptions options{.vocab_size = model.vocab_size(),
                                  .answers = "span",
                                  .units = "words",
                                  .transformer = model.transformer(),
                                  .pad_token_id = model.pad_token_id()};
  options.transformer.max_length = max_length;
  return options;
}

ImageClassifierOptions picture_options(const Published& model, const ImagePreparation& pictures) {
  const ImageEncoderOptions& encoder = model.image_encoder()->options();
  if (encoder.patch_height != encoder.patch_width) {
    model.config().json().at("patch_size").fail("squares");
  }
  ImageClassifierOptions options{.image_height = pictures.height,
                                 .image_width = pictures.width,
                                 .num_channels = encoder.channels,
                                 .num_classes = std::ssize(model.labels()),
                                 .patch_size = encoder.patch_height,
                                 .stem = "linear",
                                 .transformer = encoder.transformer};
  options.transformer.attention.positions = "learned";
  return options;
}

bool is_tag_letter(char letter) {
  return std::string_view("BIES").find(letter) != std::string_view::npos;
}

// Whether it is a letter, a hyphen and a type.
bool has_letter(const std::string& label) {
  return label.size() > 2 && label[1] == '-' && is_tag_letter(label[0]);
}

}  // namespace

TagLabels tag_labels(const std::vector<std::string>& labels) {
  TagLabels read;
  read.plain = std::none_of(labels.begin(), labels.end(), has_letter);
  std::set<std::string> types;
  std::set<char> letters;
  for (const std::string& label : labels) {
    if (label == "O") continue;
    if (!read.plain && has_letter(label)) {
      letters.insert(label[0]);
      types.insert(label.substr(2));
    } else {
      types.insert(label);
    }
  }
  read.types.assign(types.begin(), types.end());
  if (letters.count('E') + letters.count('S') > 0) {
    read.scheme = text::TagScheme::kBioes;
  } else if (letters.count('B') == 0) {
    read.scheme = text::TagScheme::kIob1;
  }
  return read;
}

PublishedClassifier::PublishedClassifier(std::shared_ptr<Published> model, int64_t max_length)
    : TextClassifier(classifier_options(*model, max_length), OwnNetwork()),
      model_(register_module("published", std::move(model))) {}

at::Tensor PublishedClassifier::forward(const DocumentBatch& batch, DocumentTrace* trace) const {
  return model_->forward(batch.rows, trace == nullptr ? nullptr : &trace->tokens);
}

PublishedTagger::PublishedTagger(std::shared_ptr<Published> model)
    : TokenTagger(tagger_options(*model), OwnNetwork()),
      model_(register_module("published", std::move(model))) {
  const std::vector<std::string>& labels = model_->labels();
  const bool plain = tag_labels(labels).plain;
  std::vector<int64_t> columns;
  std::vector<int64_t> missing;
  for (const std::string& tag : tags()) {
    // Types alone stand for what is inside of an entity.
    const bool inside = tag.starts_with("I-");
    const std::string name = plain && inside ? tag.substr(2) : tag;
    const auto found = std::find(labels.begin(), labels.end(), name);
    missing.push_back(found == labels.end() ? 1 : 0);
    columns.push_back(found == labels.end() ? 0 : found - labels.begin());
  }
  columns_ = at::tensor(columns, at::kLong);
  missing_ = at::tensor(missing, at::kLong).to(at::kBool);
}

at::Tensor PublishedTagger::forward(const WordBatch& batch, nn::AttentionTrace* trace) const {
  const at::Tensor logits =
      model_->forward(batch.pieces, trace)
          .index_select(-1, columns_.to(batch.first_pieces.device()))
          .masked_fill(missing_.to(batch.first_pieces.device()), QuestionAnswerer::kNowhere);
  const at::Tensor places = batch.first_pieces.unsqueeze(-1).expand({-1, -1, logits.size(-1)});
  return logits.gather(1, places);
}

PublishedAnswerer::PublishedAnswerer(std::shared_ptr<Published> model, int64_t max_length)
    : QuestionAnswerer(answerer_options(*model, max_length), OwnNetwork()),
      model_(register_module("published", std::move(model))) {}

at::Tensor PublishedAnswerer::forward(const QuestionBatch& batch, nn::AttentionTrace* trace) const {
  TextBatch text{.ids = batch.ids.squeeze(-1), .lengths = batch.units};
  const bool types = model_->transformer().input.token_types > 1;
  if (types) {
    const at::Tensor unit = at::arange(text.ids.size(1), batch.question.options()).unsqueeze(0);
    text.types = (unit >= batch.question.unsqueeze(1)).to(at::kLong);
  }
  return possible_spans(model_->forward(text, trace).transpose(1, 2), batch);
}

PublishedImageClassifier::PublishedImageClassifier(std::shared_ptr<Published> model,
                                                   const ImagePreparation& pictures)
    : ImageClassifier(picture_options(*model, pictures), OwnNetwork()),
      model_(register_module("published", std::move(model))) {}

at::Tensor PublishedImageClassifier::forward(const at::Tensor& images,
                                             nn::AttentionTrace* trace) const {
  return model_->forward(images, trace);
}

}  // namespace heed::models::published
