// What the two kinds of question answerers have in common on the command line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/question_input.h"
#include "heed/cli/text_task.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/text/question_units.h"

namespace heed::cli {

struct QuestionOptions {
  ReadingOptions reading = {};
  AnswerChoice choice = {};
  SpecialTokensOption special = {};
  bool errors = false;

  void check() const { reading.parsed(); }
};

class QuestionAnswererAdapter : public TextTask<QuestionInput> {
 public:
  QuestionAnswererAdapter(models::TrainedQuestionAnswerer trained, QuestionOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {
    options_.special.apply_to(trained_.tokenizer);
  }

  OrderedJson description() const override;

 protected:
  data::CharacterEncoding encoding() const override { return options_.reading.parsed().encoding; }
  QuestionInput input_of(std::string line) const override { return question_input(line); }

  // What the model read of a text and a question, by the numbers that it gave the units.
  struct ReadUnits {
    std::vector<int64_t> order;  // as people read them: the text, then the question
    int64_t question = 0;        // units of the question, the last ones of `order`
    std::function<std::string(int64_t unit)> text;
  };

  // The weights of these calls, with a batch of one, between all units or, where `part` is
  // "question", those that the units of the question give, and their effects where there is a
  // score; without a title.
  static AttentionView shown(const std::vector<nn::AttendedHeads>& calls, const at::Tensor& score,
                             const ReadUnits& units, const std::string& part);

  models::TrainedQuestionAnswerer trained_;
  QuestionOptions options_;
};

std::unique_ptr<TaskAdapter> story_answerer(models::TrainedQuestionAnswerer trained,
                                            QuestionOptions options);
std::unique_ptr<TaskAdapter> span_answerer(models::TrainedQuestionAnswerer trained,
                                           QuestionOptions options);

// A question that was answered wrongly, where it was.
void add_wrong(TaskEvaluation& evaluation, const std::string& where, const std::string& question,
               const std::vector<std::string>& expected, const std::string& predicted,
               double probability);

// The metrics of all questions and, of several files, those of each.
TaskEvaluation evaluation_of(const tasks::QuestionEvaluation& evaluation,
                             const std::vector<std::string>& files);

}  // namespace heed::cli
