// Learning to find named entities: a tag for each word of a sentence.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/texts/ner_data.h"
#include "heed/models/files/token_tagger_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

struct EntityRecognitionOptions {
  models::TokenTaggerOptions model;   // types and vocabularies are read from the data
  int64_t subword_vocab_size = 4000;  // of the vocabulary, at most, special tokens included
  int64_t min_frequency = 2;          // of a character that gets an id of its own
  double word_dropout = 0;            // share of the words whose subwords training hides
  double margin = 0;                  // see TokenTagger::loss
  // "balanced": a word counts the more, the rarer the type of entity that it is part of, or no
  // entity (tasks/common/class_weights.h). "none".
  std::string class_weight = "none";
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<EntityRecognitionOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto words = [](nn::Field field) {
    field.group = "Words and tags";
    return field;
  };
  visit(words({.name = "margin",
               .help = "By how much entities must beat no entity in training: more gives more "
                       "recall",
               .most = 1e6}),
        o.margin);
  visit(words(class_weight_field("balanced: a word counts the more, the rarer the type of its "
                                 "entity, or no entity")),
        o.class_weight);
  visit(words(nn::share_field("word_dropout",
                              "Share of words whose subwords are hidden in training")),
        o.word_dropout);
  visit(words({.name = "subword_vocab_size",
               .help = "Subwords of the vocabulary, at most",
               .least = 3,
               .most = nn::kLargestSize}),
        o.subword_vocab_size);
  visit(words({.name = "min_frequency",
               .help = "A character seen less often counts as unknown",
               .most = nn::kLargestSize}),
        o.min_frequency);
}

struct TaggedParts;  // sentences as the model reads them (tagged_parts.h)

struct TaggingBatch final : Batch {
  using Batch::Batch;
  models::WordBatch words;
  at::Tensor targets;  // (B, N) int64
  at::Tensor weights;  // (B, N) float32, 0 behind a sentence; undefined: all are one
  int64_t tokens = 0;
};

class EntityRecognition final : public TaskOf<TaggingBatch> {
 public:
  // Learns the subwords (in lower case) and characters from the training sentences and builds a
  // fresh model. Weights come from torch's default generator. Tags may be of any scheme; they are
  // converted to that of the model. Throws UsageError for options that cannot be used, DataError
  // for training data without an entity and for validation data with types that it lacks.
  EntityRecognition(const data::NerData& train, const data::NerData& valid,
                    const EntityRecognitionOptions& options);

  // Goes on with a model that has the types of the training data: of the options, those of the
  // model and the vocabulary have no meaning.
  EntityRecognition(const data::NerData& train, const data::NerData& valid,
                    const EntityRecognitionOptions& options, models::TrainedTokenTagger trained);

  std::string name() const override { return "ner"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<TaggingBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const TaggingBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "f1");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("f1"), highest("precision"), highest("recall")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedTokenTagger& trained() const { return trained_; }

  // Of the training and the validation sentences.
  const CutTexts& cut() const { return cut_; }

 private:
  void weigh_tags();

  EntityRecognitionOptions options_;
  models::TrainedTokenTagger trained_;
  models::WordReader reader_;
  std::shared_ptr<const TaggedParts> train_;
  std::vector<int64_t> lengths_;
  data::NerData valid_;
  std::shared_ptr<const TaggedParts> valid_parts_;
  CutTexts cut_;
  at::Tensor tag_weights_;  // (K) float32; undefined: all are one
};

}  // namespace heed::tasks
