// How `heed eval` shows the scores of a classifier.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/task_adapter.h"
#include "heed/tasks/classify.h"

namespace heed::cli {

// The metrics; below them a table with precision, recall, F1 and support of each label and their
// means; with one label a text, the confusion matrix. In JSON the same is in "classes", "averages"
// and "confusion", whose rows are the true classes and whose columns the predicted ones, both as
// "labels" has them.
Evaluation evaluation_of(const tasks::ClassificationScores& scores,
                         const std::vector<std::string>& labels);

}  // namespace heed::cli
