// Questions about stories, answered by class.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/texts/question_split.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/text/question_units.h"
#include "heed/text/span.h"

namespace heed::tasks {

struct StoryQuestionsOptions {
  models::QuestionAnswererOptions model;  // vocabulary, classes and padding are read from the data
  std::string tokenizer = "words";        // question_tokenizer()
  // Training puts an empty sentence before this share of the sentences, so that what counts is the
  // order of sentences more than their number ("random noise", Sukhbaatar et al. 2015,
  // section 4.1).
  double empty_share = 0.1;  // of no meaning where units are words
  // "none", or "balanced": the rarer its answer, the more a question counts
  // (tasks/common/class_weights.h).
  std::string class_weight = "none";
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<StoryQuestionsOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "tokenizer",
                  .help = "words, words:N (the N most frequent), characters, bytes, bpe:N or a "
                          "tokenizer.json"},
        o.tokenizer);
  visit(nn::share_field("empty_share", "Share of sentences that training puts an empty one before"),
        o.empty_share);
  visit(class_weight_field("balanced: a question counts the more, the rarer its answer; of "
                           "stories"),
        o.class_weight);
}

struct StoryBatch final : Batch {
  using Batch::Batch;
  models::QuestionBatch stories;
  at::Tensor answers;  // (B) int64
  int64_t tokens = 0;
};

class StoryQuestions final : public TaskOf<StoryBatch> {
 public:
  // Builds the vocabulary and the classes from the training data and a fresh model, whose weights
  // come from torch's default generator. `progress` is of the merges of a BPE.
  StoryQuestions(const data::StoryTrainingData& data, const StoryQuestionsOptions& options,
                 const Progress& progress = {});

  std::string name() const override { return "qa"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return train_.lengths; }
  std::vector<Source> sources() const override;
  std::unique_ptr<StoryBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const StoryBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "exact_match");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("exact_match"), highest("f1")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedQuestionAnswerer& trained() const { return trained_; }

  // Of the training and the validation questions.
  const CutTexts& cut() const { return cut_; }

 private:
  StoryQuestionsOptions options_;
  models::TrainedQuestionAnswerer trained_;
  EncodedQuestions train_;
  std::vector<int32_t> answers_;
  std::vector<data::StoryData> valid_;
  std::vector<EncodedQuestions> valid_questions_;  // of each file
  CutTexts cut_;
  at::Tensor class_weights_;  // (classes) float32; undefined: all are one
};

struct Story {
  std::vector<std::string> sentences;
  std::string question;
};

// Where each unit of a story comes from.
struct StorySource {
  int64_t sentence = -1;  // of the story; −1: the question
  text::Span range;       // bytes of it
};
struct StoryUnits {
  QuestionUnits units;
  std::vector<StorySource> sources;
};

// As many of the last sentences, or words of them, as the model reads. Throws DataError where the
// question has no words.
StoryUnits story_units(const models::TrainedQuestionAnswerer& trained, const Story& story);

// How many questions lose sentences of their stories, or words of a sentence, that the model does
// not read.
CutTexts cut_texts(const models::TrainedQuestionAnswerer& trained,
                   const std::vector<Story>& stories);

struct ClassAnswer {
  int64_t label = 0;                  // of the largest probability
  std::vector<double> probabilities;  // one a class, sum 1
};

// In evaluation mode; answers in the order of the stories, each that of the story alone.
std::vector<ClassAnswer> answer(const models::TrainedQuestionAnswerer& trained,
                                const std::vector<Story>& stories, const Progress& progress = {});

// Exact match and F1 of words (metrics/answers.h), loss (mean cross-entropy in nats over the
// questions whose answer is a class; 0 without any), and the number of questions.
QuestionEvaluation evaluate(const models::TrainedQuestionAnswerer& trained,
                            const std::vector<data::StoryData>& data,
                            const Progress& progress = {});

}  // namespace heed::tasks
