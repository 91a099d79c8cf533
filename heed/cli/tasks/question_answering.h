// What the two kinds of question answerers have in common on the command line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/cli/trained.h"
#include "heed/models/question_answerer_files.h"
#include "heed/tasks/question_units.h"

namespace heed::cli {

std::unique_ptr<Trained> story_answerer(models::TrainedQuestionAnswerer trained);
std::unique_ptr<Trained> span_answerer(models::TrainedQuestionAnswerer trained);

// The settings of the model that `inspect` shows.
OrderedJson description_of(const models::TrainedQuestionAnswerer& trained);

// The metrics of all questions and, of several files, those of each.
Evaluation evaluation_of(const tasks::QuestionEvaluation& evaluation,
                         const std::vector<std::string>& files);

// Which units a picture shows, as numbers of units: `queries` attend to `keys`.
struct ShownUnits {
  std::vector<int64_t> queries;
  std::vector<int64_t> keys;
};
// Weights (1, H, U, U) of each layer -> (layers, H, queries, keys).
at::Tensor shown_weights(const std::vector<at::Tensor>& layers, const ShownUnits& shown);

// "answer\t0.9876".
std::string answer_line(const std::string& answer, double probability);

// "answer (99 %)", above a picture.
std::string answer_title(const std::string& answer, double probability);

}  // namespace heed::cli
