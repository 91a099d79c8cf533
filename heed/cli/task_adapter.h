// A trained model as `heed eval`, `predict`, `attend`, `inspect` and `doctor` see it, whatever its
// task. Each task has a class of this kind in heed/cli/tasks, reads its own input there, and stands
// in the list of tasks/task_kinds.cpp.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/cli/attention_view.h"
#include "heed/cli/writing/answer_writer.h"
#include "heed/doctor/model_checks.h"
#include "heed/io/json.h"
#include "heed/tasks/common/task.h"

namespace heed::cli {

// How well a model does on labelled data: numbers, and what does not fit into numbers.
struct TaskEvaluation {
  tasks::Metrics metrics;
  OrderedJson details = {};  // beside the metrics in JSON: confusion, per-class report
  std::string report = {};   // below the metrics for people, whole lines
  std::vector<std::string> warnings = {};  // such as texts that were cut, a line each
  // What was answered wrongly, where it was asked for: where, expected, predicted, text.
  struct Wrong {
    double confidence = 0;
    OrderedJson row;
  };
  std::vector<Wrong> wrong = {};
  // For the doctor, of one label a text: what became of each example, and what the classes and the
  // further columns of the data are called.
  std::vector<doctor::Judgement> judgements = {};
  std::vector<std::string> labels = {};
  std::vector<std::string> columns = {};
  int64_t tokens = 0;  // that were read, each once; 0: they were not counted
};

// What the doctor looks at beside an evaluation.
struct DoctorExamples {
  std::vector<std::string> inputs = {};  // as `attend` takes them and, a line each, `predict`
  std::vector<doctor::NotChecked> not_checked = {};  // checks that these inputs are not for
};

// Made with the options that its task declared (task_kind.h), and not changed by what it answers:
// its functions may be called in any order, any number of times.
class TaskAdapter {
 public:
  virtual ~TaskAdapter() = default;

  // The settings that `inspect` shows, in order.
  virtual OrderedJson description() const = 0;

  // How well it does on the examples of these files, which add up; "-" is standard input. Throws
  // DataError for files that cannot be used.
  virtual TaskEvaluation evaluate(const std::vector<std::string>& files,
                                  const tasks::Progress& progress) const = 0;

  // Answers the inputs that `file` holds, in order; "-" is standard input. What cannot be answered
  // is given to `answers` too, so that the others are answered as ever. TextTask (text_task.h) does
  // it for inputs that are texts.
  virtual void predict(const std::string& file, AnswerWriter& answers) const = 0;

  // Some of the examples of these files, from the short to the long; none: it is not looked into.
  virtual DoctorExamples doctor_examples(const std::vector<std::string>& /*files*/) const {
    return {};
  }

  // The network, for those who look at its layers; null: it is not shown.
  virtual const torch::nn::Module* network() const { return nullptr; }

  // What it attends to in the input that `argument` gives or, of inputs that are no text, names.
  virtual AttentionView attend(const std::string& argument,
                               const AttentionRequest& request) const = 0;
};

// "answer\t0.9876", without what a terminal would obey.
std::string answer_line(const std::string& answer, double probability);

// "answer (99 %)", above a picture.
std::string answer_title(const std::string& answer, double probability);

}  // namespace heed::cli
