// The spans of texts that answer questions, with a trained model, and how well that goes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "heed/data/texts/question_split.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/text/question_units.h"
#include "heed/text/span.h"

namespace heed::tasks {

struct SpanRequest {
  std::string_view context;
  std::string_view question;
};

// The questions of a file, which must outlive them.
std::vector<SpanRequest> requests_of(const data::SpanData& data);

// How many questions are cut, being longer than half of what the model reads, and how many have a
// text that is longer than it and read in windows.
CutTexts cut_texts(const models::TrainedQuestionAnswerer& trained,
                   const std::vector<SpanRequest>& requests);

struct FoundSpan {
  text::Span range;  // bytes of the context
  double probability = 0;
};

struct SpanAnswers {
  std::vector<FoundSpan> best;  // falling probability
  double none = 0;              // probability that the text has no answer; 0 of a model that always
                                // answers
  // Whether one of `best` is the answer: it is likelier than none.
  bool found() const { return !best.empty() && best.front().probability >= none; }
};

// The `count` best spans for each request, in evaluation mode, each that of the request alone.
// Probabilities are those of all spans that may be an answer, in all windows, and of none. Throws
// DataError where a question has no words.
std::vector<SpanAnswers> answer(const models::TrainedQuestionAnswerer& trained,
                                const std::vector<SpanRequest>& requests, int64_t count,
                                const Progress& progress = {});

// Exact match and F1 (metrics/answers.h), and the number of questions.
QuestionEvaluation evaluate(const models::TrainedQuestionAnswerer& trained,
                            const std::vector<data::SpanData>& data, const Progress& progress = {});

// The same of questions that were read before (span_readings.h): `readings` are those of `data`.
struct Readings;
Metrics evaluate(const models::TrainedQuestionAnswerer& trained, const Readings& readings,
                 const data::SpanData& data, const Progress& progress);

// What the model reads of one window: the question, cut to half of what the model reads, and the
// tokens of the text. Throws DataError where the question has no words.
struct SpanUnits {
  QuestionUnits units;
  std::vector<text::Span> offsets;  // of each unit, in the question or in the text
};
SpanUnits first_window(const models::TrainedQuestionAnswerer& trained, const SpanRequest& request);

}  // namespace heed::tasks
