// Questions about texts as the model reads them: a long text in windows. Used inside this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "heed/models/files/question_answerer_files.h"
#include "heed/tasks/text/question_units.h"
#include "heed/tasks/text/span_answers.h"
#include "heed/tasks/text/text_windows.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

// Several questions with their texts, as the model reads them.
struct Readings {
  // A question and its text as tokens, and the windows that the model reads of them.
  struct Reading {
    text::Encoding question;  // with the special tokens before the text, where the model has some
    text::Encoding context;
    std::vector<int32_t> ending;  // special tokens behind a window
    std::vector<TextWindow> windows;

    QuestionUnits units(const TextWindow& window) const {
      QuestionUnits result{.ids = question.ids,
                           .question = static_cast<int64_t>(question.ids.size())};
      const auto first = context.ids.begin();
      result.ids.insert(result.ids.end(), first + static_cast<std::ptrdiff_t>(window.begin),
                        first + static_cast<std::ptrdiff_t>(window.end));
      result.ids.insert(result.ids.end(), ending.begin(), ending.end());
      return result;
    }
  };
  struct WindowOf {
    size_t request;
    size_t window;
  };

  std::vector<Reading> all;
  std::vector<WindowOf> windows;
  std::vector<int64_t> lengths;  // their units

  void add(Reading reading) {
    for (size_t w = 0; w < reading.windows.size(); ++w) {
      const TextWindow& window = reading.windows[w];
      windows.push_back({all.size(), w});
      lengths.push_back(static_cast<int64_t>(reading.question.ids.size() + window.end -
                                             window.begin + reading.ending.size()));
    }
    all.push_back(std::move(reading));
  }
};

// The question is cut to half of what the model reads. Throws DataError where it has no words.
Readings::Reading reading_of(const models::TrainedQuestionAnswerer& trained,
                             const SpanRequest& request);

Readings readings_of(const models::TrainedQuestionAnswerer& trained,
                     const std::vector<SpanRequest>& requests);

}  // namespace heed::tasks
