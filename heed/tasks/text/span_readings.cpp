#include "heed/tasks/text/span_readings.h"

#include <algorithm>

#include "heed/base/error.h"
#include "heed/tasks/text/pair_frame.h"

namespace heed::tasks {

Readings::Reading reading_of(const models::TrainedQuestionAnswerer& trained,
                             const SpanRequest& request) {
  const auto longest = static_cast<size_t>(trained.model->options().transformer.max_length);
  Readings::Reading reading{
      .question = trained.tokenizer->encode(request.question, text::Surround::kNo),
      .context = trained.tokenizer->encode(request.context, text::Surround::kNo)};
  if (reading.question.ids.empty()) {
    throw DataError("the question", "expected at least one word, got none");
  }
  PairFrame frame;
  if (trained.published) frame = frame_of(*trained.tokenizer);
  const size_t cut = std::min(reading.question.ids.size(), longest / 2);
  reading.question.tokens = {};  // nobody asks how they are spelled
  reading.context.tokens = {};
  reading.question.ids.resize(cut);
  reading.question.offsets.resize(cut);
  add_special(reading.question, frame.before, /*in_front=*/true);
  add_special(reading.question, frame.between, /*in_front=*/false);
  reading.ending = frame.behind;
  const size_t asked = reading.question.ids.size() + reading.ending.size();
  check_usage(asked < longest, "max_length: expected room for a text beside a question, got ",
              longest, " tokens");
  const size_t size = longest - asked;
  reading.windows = text_windows(reading.context.ids.size(), size,
                                 std::min(size, static_cast<size_t>(trained.spans.doc_stride)));
  return reading;
}

Readings readings_of(const models::TrainedQuestionAnswerer& trained,
                     const std::vector<SpanRequest>& requests) {
  Readings readings;
  for (const SpanRequest& request : requests) readings.add(reading_of(trained, request));
  return readings;
}

}  // namespace heed::tasks
