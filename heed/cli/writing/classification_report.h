// How `heed eval` shows the scores of a classifier.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "heed/cli/task_adapter.h"
#include "heed/tasks/common/logit_scores.h"

namespace heed::cli {

// The metrics; below them a table with precision, recall, F1 and support of each label and their
// means; with one label a text, the confusion matrix. In JSON the same is in "classes", "averages"
// and "confusion", whose rows are the true classes and whose columns the predicted ones, both as
// "labels" has them.
TaskEvaluation evaluation_of(const tasks::ClassificationScores& scores,
                             const std::vector<std::string>& labels);

// What --errors lists of N examples with one label each: those whose likeliest class is another
// one. probabilities: (N, C). `classes`, `where`: of each example.
std::vector<TaskEvaluation::Wrong> wrong_classes(const at::Tensor& probabilities,
                                                 const std::vector<int32_t>& classes,
                                                 const std::vector<std::string>& where,
                                                 const std::vector<std::string>& labels);

// {"good": 0.75, "bad": 0.25}: of each label. `probabilities`: one a label.
OrderedJson probabilities_json(const std::vector<std::string>& labels,
                               std::span<const double> probabilities);

// [{"label": "good", "probability": 0.75}, …]: the `top` likeliest, `member` in the place of
// "label".
OrderedJson likeliest_json(const std::vector<std::string>& labels,
                           std::span<const double> probabilities, int64_t top,
                           const char* member = "label");

}  // namespace heed::cli
