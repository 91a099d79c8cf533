// Learning to answer questions about texts by a span of the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/texts/question_split.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/text/question_units.h"

namespace heed::tasks {

struct SpanQuestionsOptions {
  models::QuestionAnswererOptions model;  // vocabulary and padding are read from the data
  std::string tokenizer = "words";        // question_tokenizer()
  models::SpanReading reading;  // but for answer_may_be_missing, which is read from the data
};

struct Readings;  // questions and texts as the model reads them (span_readings.h)

struct SpanBatch final : Batch {
  using Batch::Batch;
  models::QuestionBatch windows;
  at::Tensor targets;  // (B, 2) int64, units: the first and the last of the answer
  int64_t tokens = 0;
};

// A training example is a window: its answer is the first of the question, where the window holds
// all of it, otherwise none.
class SpanQuestions final : public TaskOf<SpanBatch> {
 public:
  // Builds the vocabulary from the training data and a fresh model, whose weights come from torch's
  // default generator. `progress` is of the merges of a BPE.
  SpanQuestions(const data::SpanTrainingData& data, const SpanQuestionsOptions& options,
                const Progress& progress = {});

  // Goes on with a model of spans and with its vocabulary.
  SpanQuestions(const data::SpanTrainingData& data, const models::SpanReading& reading,
                models::TrainedQuestionAnswerer trained);

  std::string name() const override { return "qa"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<SpanBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const SpanBatch& batch) override;  // mean of the cross-entropies of start and end
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "f1");
  }
  static std::vector<Watched> watchable() { return {highest("exact_match"), highest("f1")}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedQuestionAnswerer& trained() const { return trained_; }

  // Of the training and the validation questions, and of the answers that are taught.
  const CutTexts& cut() const { return cut_; }

 private:
  struct Target {
    int32_t first;  // units
    int32_t last;
  };
  struct LongAnswers {
    int64_t all = 0;
    int64_t too_long = 0;
    int64_t in_no_window = 0;

    CutTexts counted(const models::SpanReading& reading) const;
  };
  void read(const data::SpanTrainingData& data, const models::SpanReading& reading);
  void add_example(const data::SpanQuestion& question, const std::string& context,
                   LongAnswers& answers);

  models::TrainedQuestionAnswerer trained_;
  std::vector<QuestionUnits> inputs_;  // windows
  std::vector<int64_t> lengths_;       // their units
  std::vector<Target> targets_;
  data::SpanData valid_;
  std::shared_ptr<const Readings> valid_readings_;
  CutTexts cut_;
};

}  // namespace heed::tasks
