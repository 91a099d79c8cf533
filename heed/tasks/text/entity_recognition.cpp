#include "heed/tasks/text/entity_recognition.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/text/entity_tagging.h"
#include "heed/tasks/text/tagged_parts.h"
#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::tasks {
namespace {

std::shared_ptr<const text::Tokenizer> learnt_subwords(const data::NerData& data, int64_t size) {
  text::BpeBuilder builder({.vocab_size = static_cast<int32_t>(size),
                            .normalizers = {"NFC", "Lowercase"},
                            .pre_tokenizers = {"WhitespaceSplit"}});
  for (const data::NerSentence& sentence : data.sentences) {
    for (const std::string& word : sentence.words) builder.add(word);
  }
  return std::make_shared<const text::Tokenizer>(builder.build());
}

std::shared_ptr<const text::Tokenizer> learnt_characters(const data::NerData& data,
                                                         int64_t min_frequency) {
  text::WordLevelOptions options = text::character_options();
  options.min_frequency = min_frequency;
  text::WordLevelBuilder builder(options);
  for (const data::NerSentence& sentence : data.sentences) {
    for (const std::string& word : sentence.words) builder.add(word);
  }
  return std::make_shared<const text::Tokenizer>(builder.build());
}

const EntityRecognitionOptions& checked(const EntityRecognitionOptions& options) {
  visit_fields(options, nn::FieldCheck());
  return options;
}

models::TrainedTokenTagger untrained(const data::NerData& data,
                                     const EntityRecognitionOptions& options) {
  if (data.types.empty()) {
    throw DataError(data.file, "expected sentences with entities, found none in them");
  }
  models::TrainedTokenTagger made;
  made.tokenizer = learnt_subwords(data, options.subword_vocab_size);
  made.characters = learnt_characters(data, options.min_frequency);
  models::TokenTaggerOptions model = options.model;
  model.types = data.types;
  model.words.subword_vocab_size = made.tokenizer->size();
  model.words.subword_pad_token_id = made.tokenizer->padding_id().value();
  model.words.character_vocab_size = made.characters->size();
  model.words.character_pad_token_id = made.characters->padding_id().value();
  const text::TagScheme scheme = text::tag_scheme_named(model.tag_scheme);
  const auto tags = std::ssize(text::all_tags(model.types, scheme));
  check_classes_fit(text_of(model.types.size(), " types of entities"),
                    tags * (tags + model.transformer.d_model));
  made.model = std::make_shared<models::TokenTagger>(model);
  return made;
}

// Some words lose their subwords, the same wherever they stand in the batch, so that the model
// learns to tag a word that it does not know by its characters and its place.
//                                                                  Iyyer et al. 2015, section 4.2
at::Tensor with_words_hidden(const models::TextBatch& subwords, double share,
                             const text::Tokenizer& tokenizer) {
  const at::Tensor hidden = at::rand({subwords.ids.size(0), 1}) < share;
  const at::Tensor real = at::arange(subwords.ids.size(1)) < subwords.lengths.unsqueeze(1);
  return subwords.ids.masked_fill(hidden.logical_and(real), tokenizer.unknown_id().value());
}

}  // namespace

EntityRecognition::EntityRecognition(const data::NerData& train, const data::NerData& valid,
                                     const EntityRecognitionOptions& options)
    : EntityRecognition(train, valid, checked(options), untrained(train, options)) {}

EntityRecognition::EntityRecognition(const data::NerData& train, const data::NerData& valid,
                                     const EntityRecognitionOptions& options,
                                     models::TrainedTokenTagger trained)
    : options_(checked(options)),
      trained_(std::move(trained)),
      reader_(trained_.reader()),
      train_(std::make_shared<const TaggedParts>(tagged_parts(*trained_.model, train))),
      valid_(valid),
      valid_parts_(std::make_shared<const TaggedParts>(tagged_parts(*trained_.model, valid))) {
  if (train.word_column) trained_.columns = {{"word", std::to_string(*train.word_column)}};
  for (const TaggedParts::Part& part : train_->parts) lengths_.push_back(std::ssize(part.words));
  weigh_tags();
  cut_ += cut_texts(trained_, words_of(train));
  cut_ += cut_texts(trained_, words_of(valid));
}

// The tags of one type (B-loc, I-loc, …) are one class, "O" is another.
void EntityRecognition::weigh_tags() {
  const std::vector<std::string>& tags = trained_.model->tags();
  const std::vector<std::string>& types = trained_.model->options().types;
  std::vector<int64_t> classes;
  for (const std::string& tag : tags) {
    const size_t dash = tag.find('-');
    const auto type = std::lower_bound(types.begin(), types.end(), tag.substr(dash + 1));
    classes.push_back(dash == std::string::npos ? 0 : type - types.begin() + 1);
  }
  std::vector<int64_t> counts(types.size() + 1, 0);
  for (const auto& sentence : train_->tags) {
    for (const int32_t tag : sentence) {
      ++counts[static_cast<size_t>(classes[static_cast<size_t>(tag)])];
    }
  }
  const at::Tensor weights = class_weights(options_.class_weight, counts);
  if (weights.defined()) tag_weights_ = weights.index_select(0, at::tensor(classes, at::kLong));
}

std::vector<Source> EntityRecognition::sources() const {
  std::vector<Source> all = {
      source_of("training data",
                [&](Checksum& sum) {
                  for (size_t i = 0; i < train_->parts.size(); ++i) {
                    sum.add(train_->parts[i].words);
                    sum.add(train_->tags[i]);
                  }
                }),
      source_of("validation data",
                [&](Checksum& sum) {
                  for (const data::NerSentence& sentence : valid_.sentences) {
                    sum.add(sentence.words);
                    sum.add(sentence.tags);
                  }
                }),
      source_of("types of entities",
                [&](Checksum& sum) { sum.add(trained_.model->options().types); }),
      source_of("tokenizer", *trained_.tokenizer)};
  if (trained_.characters) all.push_back(source_of("characters", *trained_.characters));
  return all;
}

std::unique_ptr<TaggingBatch> EntityRecognition::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<TaggingBatch>(std::move(examples));
  std::vector<const std::vector<std::string>*> words;
  models::IdRows tags;
  for (const int64_t number : batch->examples) {
    const auto i = static_cast<size_t>(number);
    words.push_back(&train_->parts[i].words);
    tags.push_back(&train_->tags[i]);
    batch->tokens += lengths_[i];
  }
  batch->words = reader_.batch(words);
  batch->targets = models::padded_ids(tags, 0);
  if (tag_weights_.defined()) {
    const at::Tensor real =
        at::arange(batch->targets.size(1)).unsqueeze(0) < batch->words.lengths.unsqueeze(1);
    batch->weights =
        tag_weights_.index_select(0, batch->targets.flatten()).view_as(batch->targets) * real;
  }
  return batch;
}

Loss EntityRecognition::loss_of(const TaggingBatch& tagging) {
  models::WordBatch words = tagging.words;
  if (options_.word_dropout > 0) {
    words.subwords.ids =
        with_words_hidden(words.subwords, options_.word_dropout, *trained_.tokenizer);
  }
  const at::Device device = device_of(*trained_.model);
  words = words.to(device);
  const at::Tensor& weights = tagging.weights;
  const at::Tensor losses = trained_.model->loss(
      trained_.model->forward(words), words.lengths, tagging.targets.to(device),
      {.margin = options_.margin, .weights = weights.defined() ? weights.to(device) : weights});
  const double count =
      weights.defined() ? weights.sum().item<double>() : static_cast<double>(tagging.tokens);
  return {.value = losses.sum() / count, .tokens = tagging.tokens, .weight = count};
}

Metrics EntityRecognition::validate(const Progress& progress) {
  return evaluate(*trained_.model, reader_, *valid_parts_, valid_, progress).metrics;
}

void EntityRecognition::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

}  // namespace heed::tasks
