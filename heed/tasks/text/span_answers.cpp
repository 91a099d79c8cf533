#include "heed/tasks/text/span_answers.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/inference/best_spans.h"
#include "heed/metrics/answers.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/text/span_readings.h"

namespace heed::tasks {
namespace {

using Reading = Readings::Reading;

constexpr int64_t kReadingsAtOnce = 32;

// log(exp(a) + exp(b)).
double log_add(double a, double b) {
  const double high = std::max(a, b);
  return std::isinf(high) ? high : high + std::log1p(std::exp(std::min(a, b) - high));
}

// What the windows of one request say together.
class WindowVotes {
 public:
  WindowVotes(const Reading& reading, int64_t count) : reading_(reading), count_(count) {}

  // scores: of the units of a window, start and end.
  void add(const TextWindow& window, const inference::SpanScores& scores, int64_t longest) {
    const size_t asked = reading_.question.ids.size();
    const inference::BestSpans found =
        inference::best_spans(scores, {.begin = asked + window.owned_begin - window.begin,
                                       .starts_end = asked + window.owned_end - window.begin,
                                       .end = asked + window.end - window.begin,
                                       .max_length = static_cast<size_t>(longest),
                                       .count = static_cast<size_t>(count_)});
    log_sum_ = log_add(log_sum_, found.log_sum);
    // A text has no answer where no window has one.        Devlin et al. 2019, their SQuAD program
    none_ = std::min(none_, double{scores.start[0]} + double{scores.end[0]});
    for (const inference::ScoredSpan& each : found.best) {
      const auto& offsets = reading_.context.offsets;
      const size_t first = each.first - asked + window.begin;
      const size_t last = each.last - asked + window.begin;
      best_.push_back({{offsets[first].begin, offsets[last].end}, each.score});
    }
  }

  SpanAnswers answers(bool may_be_missing) {
    const double total = may_be_missing ? log_add(log_sum_, none_) : log_sum_;
    std::stable_sort(best_.begin(), best_.end(),
                     [](const ScoredRange& a, const ScoredRange& b) { return a.score > b.score; });
    best_.resize(std::min(best_.size(), static_cast<size_t>(count_)));
    SpanAnswers result{.best = {}, .none = may_be_missing ? std::exp(none_ - total) : 0};
    for (const ScoredRange& each : best_) {
      result.best.push_back({.range = each.range, .probability = std::exp(each.score - total)});
    }
    return result;
  }

 private:
  struct ScoredRange {
    text::Span range;  // bytes of the context
    double score;
  };

  const Reading& reading_;
  int64_t count_;
  std::vector<ScoredRange> best_;
  double log_sum_ = -std::numeric_limits<double>::infinity();
  double none_ = std::numeric_limits<double>::infinity();
};

// Scores (windows, 2, U) float32 in CPU memory of the windows with these numbers.
at::Tensor window_scores(const models::TrainedQuestionAnswerer& trained, const Readings& readings,
                         const std::vector<int64_t>& numbers) {
  std::vector<QuestionUnits> inputs;
  for (const int64_t i : numbers) {
    const Readings::WindowOf& each = readings.windows[static_cast<size_t>(i)];
    const Reading& reading = readings.all[each.request];
    inputs.push_back(reading.units(reading.windows[each.window]));
  }
  std::vector<const QuestionUnits*> batch;
  for (const QuestionUnits& each : inputs) batch.push_back(&each);
  const auto padded = question_batch(batch, trained.model->options().pad_token_id);
  return trained.model->forward(padded.to(device_of(*trained.model)))
      .to(at::kCPU, at::kFloat)
      .contiguous();
}

std::string text_of_answer(const SpanAnswers& answers, std::string_view context) {
  if (!answers.found()) return {};
  const text::Span& range = answers.best.front().range;
  return std::string(context.substr(range.begin, range.size()));
}

Metrics metrics_of(const metrics::AnswerScores& answers) {
  return {{"exact_match", answers.mean().exact},
          {"f1", answers.mean().f1},
          {"questions", static_cast<double>(answers.count())}};
}

std::vector<SpanAnswers> answer_readings(const models::TrainedQuestionAnswerer& trained,
                                         const Readings& readings, int64_t count,
                                         const Progress& progress) {
  const c10::InferenceMode inference;
  std::vector<WindowVotes> votes;
  votes.reserve(readings.all.size());
  for (const Reading& reading : readings.all) votes.emplace_back(reading, count);
  const auto read = [&](const std::vector<int64_t>& numbers) {
    const at::Tensor scores = window_scores(trained, readings, numbers);
    const auto units = static_cast<size_t>(scores.size(2));
    const auto* row = scores.const_data_ptr<float>();
    for (const int64_t i : numbers) {
      const Readings::WindowOf& each = readings.windows[static_cast<size_t>(i)];
      votes[each.request].add(readings.all[each.request].windows[each.window],
                              {.start = {row, units}, .end = {row + units, units}},
                              trained.spans.max_answer_length);
      row += 2 * units;
    }
  };
  for_each_batch(readings.lengths, kReadingsAtOnce, progress, read);
  std::vector<SpanAnswers> answers;
  for (WindowVotes& each : votes)
    answers.push_back(each.answers(trained.spans.answer_may_be_missing));
  return answers;
}

// The answers to the questions of one file, and what they add to those of all.
metrics::AnswerScores graded(const std::vector<SpanAnswers>& answers, const data::SpanData& data,
                             metrics::AnswerScores& all) {
  metrics::AnswerScores scores;
  for (size_t i = 0; i < answers.size(); ++i) {
    const data::SpanQuestion& question = data.questions[i];
    std::vector<std::string> expected;
    for (const data::SpanAnswer& each : question.answers) expected.push_back(each.text);
    if (expected.empty()) expected.emplace_back();
    const std::string found = text_of_answer(answers[i], data.contexts[question.context]);
    scores.add(found, expected);
    all.add(found, expected);
  }
  return scores;
}

}  // namespace

std::vector<SpanRequest> requests_of(const data::SpanData& data) {
  std::vector<SpanRequest> requests;
  for (const data::SpanQuestion& each : data.questions) {
    requests.push_back({data.contexts[each.context], each.question});
  }
  return requests;
}

CutTexts cut_texts(const models::TrainedQuestionAnswerer& trained,
                   const std::vector<SpanRequest>& requests) {
  const int64_t longest = trained.model->options().transformer.max_length;
  CutCount questions{.what = "questions",
                     .all = std::ssize(requests),
                     .limit = text_of(longest / 2, " words, half of --max-length,")};
  CutCount texts{.what = "texts",
                 .all = std::ssize(requests),
                 .limit = text_of(longest, " words, the question among them (--max-length),"),
                 .outcome = "are read in windows"};
  const auto size = [&](std::string_view text) {
    return std::ssize(trained.tokenizer->encode_ids(text, text::Surround::kNo));
  };
  std::string_view context;  // of several questions, counted once
  int64_t read = 0;
  for (const SpanRequest& request : requests) {
    const int64_t asked = size(request.question);
    if (asked > longest / 2) ++questions.cut;
    if (request.context != context) read = size(request.context);
    context = request.context;
    if (std::min(asked, longest / 2) + read > longest) ++texts.cut;
  }
  return CutTexts({questions, texts});
}

std::vector<SpanAnswers> answer(const models::TrainedQuestionAnswerer& trained,
                                const std::vector<SpanRequest>& requests, int64_t count,
                                const Progress& progress) {
  return answer_readings(trained, readings_of(trained, requests), count, progress);
}

QuestionEvaluation evaluate(const models::TrainedQuestionAnswerer& trained,
                            const std::vector<data::SpanData>& data, const Progress& progress) {
  ProgressInParts parts(progress, question_count(data));
  metrics::AnswerScores all;
  QuestionEvaluation evaluation;
  for (const data::SpanData& file : data) {
    const auto answers =
        answer(trained, requests_of(file), 1, parts.next(std::ssize(file.questions)));
    evaluation.files.push_back(metrics_of(graded(answers, file, all)));
  }
  evaluation.all = metrics_of(all);
  return evaluation;
}

Metrics evaluate(const models::TrainedQuestionAnswerer& trained, const Readings& readings,
                 const data::SpanData& data, const Progress& progress) {
  metrics::AnswerScores scores;
  graded(answer_readings(trained, readings, 1, progress), data, scores);
  return metrics_of(scores);
}

SpanUnits first_window(const models::TrainedQuestionAnswerer& trained, const SpanRequest& request) {
  const Reading reading = reading_of(trained, request);
  SpanUnits result{.units = reading.units(reading.windows.front()),
                   .offsets = reading.question.offsets};
  const auto first = reading.context.offsets.begin();
  result.offsets.insert(result.offsets.end(), first,
                        first + static_cast<std::ptrdiff_t>(reading.windows.front().end));
  result.offsets.resize(result.units.ids.size());  // special tokens stand for nothing
  return result;
}

}  // namespace heed::tasks
