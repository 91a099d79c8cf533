#include "heed/tasks/text/span_questions.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/inference/best_spans.h"
#include "heed/metrics/answers.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/text/pair_frame.h"

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

namespace {

using Reading = Readings::Reading;

constexpr int64_t kReadingsAtOnce = 32;

struct AskedWindows final : Batch {
  using Batch::Batch;
  models::QuestionBatch windows;
  at::Tensor targets;  // (B, 2) int64, units: the first and the last of the answer
  int64_t tokens = 0;
};

Reading reading_of(const models::TrainedQuestionAnswerer& trained, const SpanRequest& request) {
  const auto longest = static_cast<size_t>(trained.model->options().transformer.max_length);
  Reading reading{.question = trained.tokenizer->encode(request.question, text::Surround::kNo),
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

struct TokenRange {
  size_t first;
  size_t last;
};

// The tokens that a span of bytes touches; none where it touches none.
std::optional<TokenRange> tokens_of(const text::Span& range,
                                    const std::vector<text::Span>& offsets) {
  std::optional<TokenRange> found;
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i].begin >= range.end || offsets[i].end <= range.begin) continue;
    if (!found) found = TokenRange{i, i};
    found->last = i;
  }
  return found;
}

Readings readings_of(const models::TrainedQuestionAnswerer& trained,
                     const std::vector<SpanRequest>& requests) {
  Readings readings;
  for (const SpanRequest& request : requests) readings.add(reading_of(trained, request));
  return readings;
}

std::vector<SpanRequest> requests_of(const data::SpanData& data) {
  std::vector<SpanRequest> requests;
  for (const data::SpanQuestion& each : data.questions) {
    requests.push_back({data.contexts[each.context], each.question});
  }
  return requests;
}

std::vector<std::string> all_texts(const data::SpanData& data) {
  std::vector<std::string> texts = data.contexts;
  for (const data::SpanQuestion& each : data.questions) texts.push_back(each.question);
  return texts;
}

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
    std::stable_sort(best_.begin(), best_.end(), [](const FoundSpan& a, const FoundSpan& b) {
      return a.probability > b.probability;
    });
    best_.resize(std::min(best_.size(), static_cast<size_t>(count_)));
    for (FoundSpan& each : best_) each.probability = std::exp(each.probability - total);
    return {.best = std::move(best_), .none = may_be_missing ? std::exp(none_ - total) : 0};
  }

 private:
  const Reading& reading_;
  int64_t count_;
  std::vector<FoundSpan> best_;  // scores in place of probabilities
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

Metrics metrics_of(const metrics::Answers& answers) {
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
metrics::Answers graded(const std::vector<SpanAnswers>& answers, const data::SpanData& data,
                        metrics::Answers& all) {
  metrics::Answers scores;
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

SpanQuestions::SpanQuestions(const data::SpanTrainingData& data,
                             const SpanQuestionsOptions& options, const Progress& progress)
    : valid_(data.valid) {
  trained_.tokenizer = question_tokenizer(options.tokenizer, all_texts(data.train), progress);
  models::QuestionAnswererOptions model = options.model;
  model.vocab_size = trained_.tokenizer->size();
  model.answers = "span";
  model.units = "words";
  model.pad_token_id = trained_.tokenizer->padding_id().value_or(-1);
  trained_.model = std::make_shared<models::QuestionAnswerer>(model);
  read(data, options.reading);
}

SpanQuestions::SpanQuestions(const data::SpanTrainingData& data, const models::SpanReading& reading,
                             models::TrainedQuestionAnswerer trained)
    : trained_(std::move(trained)), valid_(data.valid) {
  read(data, reading);
}

void SpanQuestions::read(const data::SpanTrainingData& data, const models::SpanReading& reading) {
  visit_fields(reading, nn::FieldCheck());
  trained_.spans = reading;
  trained_.spans.answer_may_be_missing =
      std::any_of(data.train.questions.begin(), data.train.questions.end(),
                  [](const data::SpanQuestion& each) { return each.answers.empty(); });
  LongAnswers answers;
  for (const data::SpanQuestion& each : data.train.questions) {
    add_example(each, data.train.contexts[each.context], answers);
  }
  cut_ += answers.counted(trained_.spans);
  for (const data::SpanData* part : {&data.train, &data.valid}) {
    cut_ += cut_texts(trained_, requests_of(*part));
  }
  valid_readings_ =
      std::make_shared<const Readings>(readings_of(trained_, requests_of(data.valid)));
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

CutTexts SpanQuestions::LongAnswers::counted(const models::SpanReading& reading) const {
  return CutTexts(
      {{.what = "answers",
        .cut = too_long,
        .all = all,
        .limit = text_of(reading.max_answer_length, " words (--max-answer-length)"),
        .outcome = "will never be given"},
       {.what = "answers",
        .cut = in_no_window,
        .all = all,
        .limit = text_of("what two windows share (--doc-stride ", reading.doc_stride, ")"),
        .outcome = "are in none of them as a whole, so that they are not learnt"}});
}

void SpanQuestions::add_example(const data::SpanQuestion& question, const std::string& context,
                                LongAnswers& answers) {
  const Reading reading = reading_of(trained_, {context, question.question});
  std::optional<TokenRange> answer;
  if (!question.answers.empty()) {
    answer = tokens_of(question.answers.front().range, reading.context.offsets);
  }
  bool learnt = false;
  for (const TextWindow& window : reading.windows) {
    inputs_.push_back(reading.units(window));
    lengths_.push_back(inputs_.back().count());
    Target target{0, 0};
    if (answer && answer->first >= window.begin && answer->last < window.end) {
      const auto shift = reading.question.ids.size() - window.begin;
      target = {static_cast<int32_t>(answer->first + shift),
                static_cast<int32_t>(answer->last + shift)};
      learnt = true;
    }
    targets_.push_back(target);
  }
  if (!answer) return;
  ++answers.all;
  const auto longest = static_cast<size_t>(trained_.spans.max_answer_length);
  if (answer->last - answer->first >= longest) ++answers.too_long;
  if (!learnt) ++answers.in_no_window;
}

std::vector<Source> SpanQuestions::sources() const {
  return {source_of("training data",
                    [&](Checksum& sum) {
                      add_inputs(sum, inputs_);
                      for (const Target& target : targets_) {
                        sum.add(target.first);
                        sum.add(target.last);
                      }
                    }),
          source_of("validation data",
                    [&](Checksum& sum) {
                      sum.add(valid_.contexts);
                      for (const data::SpanQuestion& each : valid_.questions) {
                        sum.add(each.context);
                        sum.add(each.question);
                        for (const data::SpanAnswer& answer : each.answers) {
                          sum.add(answer.text);
                          sum.add(answer.range.begin);
                        }
                      }
                    }),
          source_of("tokenizer", *trained_.tokenizer)};
}

std::unique_ptr<Batch> SpanQuestions::prepare(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<AskedWindows>(std::move(examples));
  batch->targets = at::empty({std::ssize(batch->examples), 2}, at::kLong);
  auto* targets = batch->targets.mutable_data_ptr<int64_t>();
  for (const int64_t number : batch->examples) {
    const auto example = static_cast<size_t>(number);
    *targets++ = targets_[example].first;
    *targets++ = targets_[example].last;
    batch->tokens += lengths_[example];
  }
  batch->windows =
      question_batch(chosen(inputs_, batch->examples), trained_.model->options().pad_token_id);
  return batch;
}

Loss SpanQuestions::loss(const Batch& batch) {
  const auto& asked = static_cast<const AskedWindows&>(batch);
  const at::Device device = device_of(*trained_.model);
  const at::Tensor scores = trained_.model->forward(asked.windows.to(device));
  return {.value = heed::cross_entropy(scores.contiguous(), asked.targets.to(device)),
          .tokens = asked.tokens,
          .weight = static_cast<double>(asked.examples.size())};
}

Metrics SpanQuestions::validate(const Progress& progress) {
  metrics::Answers scores;
  graded(answer_readings(trained_, *valid_readings_, 1, progress), valid_, scores);
  return metrics_of(scores);
}

void SpanQuestions::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<SpanAnswers> answer(const models::TrainedQuestionAnswerer& trained,
                                const std::vector<SpanRequest>& requests, int64_t count,
                                const Progress& progress) {
  return answer_readings(trained, readings_of(trained, requests), count, progress);
}

QuestionEvaluation evaluate(const models::TrainedQuestionAnswerer& trained,
                            const std::vector<data::SpanData>& data, const Progress& progress) {
  ProgressInParts parts(progress, question_count(data));
  metrics::Answers all;
  QuestionEvaluation evaluation;
  for (const data::SpanData& file : data) {
    const auto answers =
        answer(trained, requests_of(file), 1, parts.next(std::ssize(file.questions)));
    evaluation.files.push_back(metrics_of(graded(answers, file, all)));
  }
  evaluation.all = metrics_of(all);
  return evaluation;
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
