// What the two kinds of question answerers have in common on the command line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heed/cli/trained.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/tasks/cut_texts.h"
#include "heed/tasks/question_units.h"

namespace heed::cli {

class QuestionAnswerer : public Trained {
 public:
  explicit QuestionAnswerer(models::TrainedQuestionAnswerer trained)
      : trained_(std::move(trained)) {}

  std::string task() const override { return "qa"; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  std::vector<std::string> evaluation_options() const override {
    return {"encoding", "max-bytes", "errors"};
  }
  std::vector<TokenizerPlace> tokenizers() override { return {&trained_.tokenizer}; }
  std::vector<std::string> prediction_options() const override {
    return {"format", "encoding", "threshold", "unknown", "top"};
  }
  std::vector<std::string> warnings() const override { return cut_.warnings(); }
  std::vector<std::string> attention_parts() const override { return {"question", "all"}; }

 protected:
  // What the model read of a text and a question, by the numbers that it gave the units.
  struct ReadUnits {
    std::vector<int64_t> order;  // as people read them: the text, then the question
    int64_t question = 0;        // units of the question, the last ones of `order`
    std::function<std::string(int64_t unit)> text;
  };

  // The weights (1, H, U, U) of each layer between all units or, where `part` is "question", those
  // that the units of the question give; without a title.
  static AttentionView shown(const std::vector<at::Tensor>& layers, const ReadUnits& units,
                             const std::string& part);

  models::TrainedQuestionAnswerer trained_;
  tasks::CutTexts cut_;
};

std::unique_ptr<Trained> story_answerer(models::TrainedQuestionAnswerer trained);
std::unique_ptr<Trained> span_answerer(models::TrainedQuestionAnswerer trained);

// A question that was answered wrongly, where it was.
void add_wrong(Evaluation& evaluation, const std::string& where, const std::string& question,
               const std::vector<std::string>& expected, const std::string& predicted,
               double probability);

// The metrics of all questions and, of several files, those of each.
Evaluation evaluation_of(const tasks::QuestionEvaluation& evaluation,
                         const std::vector<std::string>& files);

}  // namespace heed::cli
