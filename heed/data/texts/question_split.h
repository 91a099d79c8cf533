// Questions put together from several files, and some of them held back for validation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "heed/data/texts/question_data.h"

namespace heed::data {

struct QuestionFiles {
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> valid;
  // Without files in `valid`: this share of the stories of every training file, or of the texts of
  // all, drawn by `seed`, about the same of each answer (or of answers and none) that the first
  // question has. A story keeps all its questions, so that none is on both sides.
  double valid_share = 0.1;
  uint64_t seed = 1;
  Limits limits = {};  // of each file; most_classes: of the different answers to stories
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
// for a share outside [0, 1); DataError where a side is left without a question, and for more
// different answers to stories than the limits allow.
StoryTrainingData read_story_training(const QuestionFiles& files, DataReport& report);
SpanTrainingData read_span_training(const QuestionFiles& files, DataReport& report);

}  // namespace heed::data
