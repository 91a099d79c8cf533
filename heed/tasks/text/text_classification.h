// Learning to give texts their classes: sentiment, topics and their like.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heed/data/texts/classification_data.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/text/classify.h"

namespace heed::tasks {

struct TextClassificationOptions {
  models::TextClassifierOptions model;  // vocabulary and classes are read from the data
  int64_t vocab_size = 10'000;          // at most, special tokens included
  int64_t min_frequency = 1;            // of a word that gets an id of its own
  double label_smoothing = 0;           // Szegedy et al. 2016, section 7
  double word_dropout = 0;              // share of the words that training replaces by [UNK]
  // Not empty: a text has any number of labels, with this between them in files, and each label is
  // a yes or no of its own (sigmoid and binary cross-entropy).
  std::string label_separator = {};
  // With several labels: from which probability on each is given. None: of each label the one with
  // the best F1 on the validation data, anew with each validation.
  std::optional<double> threshold = {};
  // "balanced": the loss of an example counts the more, the rarer its class: examples / (classes ·
  // examples of the class); of several labels, a yes as much as all noes of its label. "none".
  std::string class_weight = "none";
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<TextClassificationOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  constexpr const char* kSeveral = "Several labels a text";
  visit(Field{.name = "vocab_size",
              .help = "Words of the vocabulary, at most",
              .least = 3,
              .most = nn::kLargestSize},
        o.vocab_size);
  visit(Field{.name = "min_frequency",
              .help = "A word seen less often counts as unknown",
              .most = nn::kLargestSize},
        o.min_frequency);
  visit(nn::share_field("label_smoothing", "Share of the target spread over all classes"),
        o.label_smoothing);
  visit(nn::share_field("word_dropout", "Share of words hidden in training"), o.word_dropout);
  visit(class_weight_field("balanced: an example counts the more, the rarer its class"),
        o.class_weight);
  visit(Field{.name = "label_separator",
              .help = "What stands between the labels of a text; empty: each has one label",
              .group = kSeveral},
        o.label_separator);
  visit(Field{.name = "threshold",
              .help = "From which probability on a label is given; without: for each label what "
                      "gives the best F1 on the validation data",
              .most = 1,
              .above = true,
              .below = true,
              .group = kSeveral},
        o.threshold);
}

struct LabelledBatch final : Batch {
  using Batch::Batch;
  models::DocumentBatch texts;
  at::Tensor labels;  // (B) int64, or, with several a text, (B, classes) float32 of 0 and 1
  int64_t tokens = 0;
};

class TextClassification final : public TaskOf<LabelledBatch> {
 public:
  // Builds the vocabulary from the training texts and a fresh model. Weights come from torch's
  // default generator.
  TextClassification(const data::TrainingData& data, const TextClassificationOptions& options);

  // Goes on with a model whose labels are those of the data, in their order, and with its
  // vocabulary: of the options, those of the model and the vocabulary have no meaning.
  TextClassification(const data::TrainingData& data, const TextClassificationOptions& options,
                     models::TrainedTextClassifier trained);

  std::string name() const override { return "classify"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return train_.lengths; }
  std::vector<Source> sources() const override;
  std::unique_ptr<LabelledBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const LabelledBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override;
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("accuracy"), highest("macro_f1"), highest("micro_f1"),
            highest("subset_accuracy")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedTextClassifier& trained() const { return trained_; }

  // Of the training and the validation texts.
  const CutTexts& cut() const { return cut_; }

 private:
  void weigh_classes();

  TextClassificationOptions options_;
  models::TrainedTextClassifier trained_;
  EncodedTexts train_;
  std::vector<std::vector<int32_t>> labels_;
  data::ClassificationData valid_;
  EncodedTexts valid_texts_;
  CutTexts cut_;
  at::Tensor class_weights_;  // (classes) float32; undefined: all are one
};

}  // namespace heed::tasks
