// Questions put together from several files, and some of them held back for validation.
#pragma once

#include <filesystem>
#include <vector>

#include "heed/data/question_data.h"

namespace heed::data {

struct QuestionFiles {
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> valid;
  // Without files in `valid`: of every training file this share of its stories or texts, evenly
  // spread and each with all its questions, so that no story is on both sides.
  double valid_share = 0.1;
};

// One entry a file.
struct StoryTrainingData {
  std::vector<StoryData> train;
  std::vector<StoryData> valid;
};

struct SpanTrainingData {
  SpanData train;  // of all files
  SpanData valid;
};

// Throw what read_stories and read_spans throw, and what the report has that is fatal; UsageError
// for a share outside [0, 1); DataError where a side is left without a question.
StoryTrainingData read_story_training(const QuestionFiles& files, DataReport& report);
SpanTrainingData read_span_training(const QuestionFiles& files, DataReport& report);

}  // namespace heed::data
