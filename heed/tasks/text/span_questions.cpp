#include "heed/tasks/text/span_questions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/text/span_answers.h"
#include "heed/tasks/text/span_readings.h"

namespace heed::tasks {
namespace {

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

std::vector<std::string> all_texts(const data::SpanData& data) {
  std::vector<std::string> texts = data.contexts;
  for (const data::SpanQuestion& each : data.questions) texts.push_back(each.question);
  return texts;
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
  const Readings::Reading reading = reading_of(trained_, {context, question.question});
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

std::unique_ptr<SpanBatch> SpanQuestions::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<SpanBatch>(std::move(examples));
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

Loss SpanQuestions::loss_of(const SpanBatch& asked) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor scores = trained_.model->forward(asked.windows.to(device));
  return {.value = heed::cross_entropy(scores.contiguous(), asked.targets.to(device)),
          .tokens = asked.tokens,
          .weight = static_cast<double>(asked.examples.size())};
}

Metrics SpanQuestions::validate(const Progress& progress) {
  return evaluate(trained_, *valid_readings_, valid_, progress);
}

void SpanQuestions::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

}  // namespace heed::tasks
