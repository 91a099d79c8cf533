// Texts to classes: sentiment and its like.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/classification_data.h"
#include "heed/models/text_classifier_files.h"
#include "heed/tasks/task.h"

namespace heed::tasks {

struct TextClassificationOptions {
  models::TextClassifierOptions model;  // vocabulary and classes are read from the data
  int64_t vocabulary_size = 10'000;     // at most, special tokens included
  int64_t min_frequency = 1;            // of a word that gets an id of its own
  double label_smoothing = 0;           // Szegedy et al. 2016, section 7
  double word_dropout = 0;              // share of the words that training replaces by [UNK]
};

class TextClassification final : public Task {
 public:
  // Builds the vocabulary from the training texts and a fresh model. Weights come from torch's
  // default generator.
  TextClassification(const data::TrainingData& data, const TextClassificationOptions& options,
                     std::string name);

  std::string name() const override { return trained_.task; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::unique_ptr<Batch> prepare(std::vector<int64_t> examples) const override;
  Loss loss(const Batch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched() const override { return {.name = "accuracy", .higher_is_better = true}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedTextClassifier& trained() const { return trained_; }

 private:
  TextClassificationOptions options_;
  models::TrainedTextClassifier trained_;
  std::vector<std::vector<int32_t>> ids_;  // of each training text
  std::vector<int64_t> lengths_;
  std::vector<int32_t> labels_;
  data::ClassificationData valid_;
};

// What the classifier says of one text.
struct Classification {
  int64_t label = 0;                  // of the largest probability
  std::vector<double> probabilities;  // one a class, sum 1
};

// Classifies texts in batches of similar length, in evaluation mode; results in the order of the
// texts. Each result is that of the text alone.
std::vector<Classification> classify(const models::TrainedTextClassifier& trained,
                                     const std::vector<std::string>& texts,
                                     const Progress& progress = {});

// Accuracy, loss (mean cross-entropy, nats), macro F1, and the number of examples.
Metrics evaluate(const models::TrainedTextClassifier& trained, const data::ClassificationData& data,
                 const Progress& progress = {});

// Ids of several texts as one padded batch.
models::TextBatch text_batch(const std::vector<const std::vector<int32_t>*>& texts,
                             int64_t padding_id);

}  // namespace heed::tasks
