// What a model answers to questions about texts, by a span of the text, and how well.
#include "heed/tasks/text/span_answers.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heed/base/error.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/reading/question_input.h"
#include "heed/cli/tasks/question_answering.h"
#include "heed/text/characters/unicode.h"

namespace heed::cli {
namespace {

class SpanAnswerer final : public QuestionAnswererAdapter {
 public:
  using QuestionAnswererAdapter::QuestionAnswererAdapter;

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override;
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override;

 protected:
  QuestionInput input_of(std::string line) const override;
  std::optional<std::vector<QuestionInput>> read(data::TextLines& lines,
                                                 data::DataReport& report) const override;
  std::vector<Answer> answer(std::span<const QuestionInput> asked,
                             AnswerWriter& answers) const override;
  AttentionView attention_of(const QuestionInput& asked,
                             const AttentionRequest& request) const override;

 private:
  void add_wrong_spans(TaskEvaluation& evaluation, const data::SpanData& file,
                       const std::vector<tasks::SpanRequest>& requests) const;
};

TaskEvaluation SpanAnswerer::evaluate(const std::vector<std::string>& files,
                                      const tasks::Progress& progress) const {
  data::DataReport report;
  std::vector<data::SpanData> data;
  for (const std::string& file : files) {
    data.push_back(
        data::read_spans(file, data::Answers::kRequired, report, options_.reading.limits()));
  }
  throw_or_warn(report);
  TaskEvaluation evaluation = evaluation_of(tasks::evaluate(trained_, data, progress), files);
  tasks::CutTexts cut;
  for (const data::SpanData& file : data) {
    const std::vector<tasks::SpanRequest> requests = tasks::requests_of(file);
    cut += tasks::cut_texts(trained_, requests);
    if (options_.errors) add_wrong_spans(evaluation, file, requests);
  }
  evaluation.warnings = cut.warnings();
  return evaluation;
}

DoctorExamples SpanAnswerer::doctor_examples(const std::vector<std::string>& files) const {
  data::DataReport ignored;  // evaluation tells it
  std::vector<std::string> inputs;
  for (const std::string& file : files) {
    const data::SpanData data =
        data::read_spans(file, data::Answers::kRequired, ignored, options_.reading.limits());
    for (const data::SpanQuestion& each : data.questions) {
      inputs.push_back(OrderedJson{
          {"context", data.contexts[each.context]},
          {"question",
           each.question}}.dump());
    }
  }
  return {.inputs = some_of(std::move(inputs))};
}

void SpanAnswerer::add_wrong_spans(TaskEvaluation& evaluation, const data::SpanData& file,
                                   const std::vector<tasks::SpanRequest>& requests) const {
  const auto results = tasks::answer(trained_, requests, 1);
  for (size_t i = 0; i < results.size(); ++i) {
    const data::SpanQuestion& question = file.questions[i];
    std::vector<std::string> expected;
    for (const data::SpanAnswer& each : question.answers) expected.push_back(each.text);
    if (expected.empty()) expected.emplace_back();
    const tasks::SpanAnswers& found = results[i];
    const text::Span range = found.found() ? found.best.front().range : text::Span{};
    add_wrong(evaluation,
              question.line > 0 ? text_of(file.file, ":", question.line)
                                : text_of(file.file, ", question ", i + 1),
              question.question, expected,
              std::string(requests[i].context.substr(range.begin, range.size())),
              found.found() ? found.best.front().probability : found.none);
  }
}

OrderedJson span_json(const std::string& context, const tasks::FoundSpan& found) {
  const std::string_view text = context;
  return {{"answer", text.substr(found.range.begin, found.range.size())},
          {"start", code_points(text.substr(0, found.range.begin))},
          {"end", code_points(text.substr(0, found.range.end))},
          {"probability", found.probability}};
}

Answer answer_of(const QuestionInput& input, const tasks::SpanAnswers& found,
                 const AnswerChoice& options) {
  const double probability = found.found() ? found.best.front().probability : found.none;
  const bool known = found.found() && probability >= options.threshold;
  Answer answer;
  answer.json["question"] = input.story.question;
  for (const char* name : {"answer", "start", "end"}) answer.json[name] = nullptr;
  answer.json["probability"] = probability;
  std::string text = options.unknown;
  if (known) {
    const OrderedJson best = span_json(input.context, found.best.front());
    answer.json.update(best);
    text = best.at("answer").get<std::string>();
  }
  answer.json["none"] = found.none;
  answer.json["top"] = OrderedJson::array();
  for (const tasks::FoundSpan& each : found.best) {
    answer.json["top"].push_back(span_json(input.context, each));
  }
  answer.line = answer_line(text, probability);
  return answer;
}

QuestionInput SpanAnswerer::input_of(std::string line) const {
  QuestionInput asked = question_input(line);
  if (asked.context.empty()) {
    throw DataError("the question", "expected a text before the question, got none");
  }
  return asked;
}

std::vector<Answer> SpanAnswerer::answer(std::span<const QuestionInput> asked,
                                         AnswerWriter& answers) const {
  std::vector<tasks::SpanRequest> requests;
  for (const QuestionInput& each : asked) requests.push_back({each.context, each.story.question});
  const auto results = tasks::answer(trained_, requests, options_.choice.top);
  answers.count_cut(tasks::cut_texts(trained_, requests));
  std::vector<Answer> all;
  for (size_t i = 0; i < asked.size(); ++i) {
    all.push_back(answer_of(asked[i], results[i], options_.choice));
  }
  return all;
}

// A JSON document; any other file has a question a line.
std::optional<std::vector<QuestionInput>> SpanAnswerer::read(data::TextLines& lines,
                                                             data::DataReport& report) const {
  const data::ReadOptions options = options_.reading.parsed();
  const data::FileLayout kind = lines.kind(options.format, '\0', LineReader::Wait::kLine);
  if (kind.format != data::Format::kJson) return std::nullopt;
  lines.keep_within(options.limits);
  const data::SpanData data = data::read_spans(lines, kind, data::Answers::kNone, report);
  std::vector<QuestionInput> inputs;
  for (const data::SpanQuestion& each : data.questions) {
    const std::string& context = data.contexts[each.context];
    inputs.push_back({.story = {.question = each.question},
                      .context = context,
                      .text = context,
                      .where = text_of(data.file, ", question ", inputs.size() + 1)});
  }
  return inputs;
}

// What speaks for the answer in a window: the scores (2, U) of its first and last token, or of the
// first unit twice where there is none; those of the best ones where it stands in another window.
at::Tensor answer_score(const at::Tensor& scores, const tasks::SpanUnits& read,
                        const tasks::SpanAnswers& found) {
  if (!found.found()) return scores.select(1, 0).sum();
  const text::Span& range = found.best.front().range;
  std::optional<int64_t> first, last;
  for (auto unit = read.units.question; unit < std::ssize(read.offsets); ++unit) {
    const text::Span& each = read.offsets[static_cast<size_t>(unit)];
    if (each.size() == 0) continue;
    if (!first && each.begin == range.begin) first = unit;
    if (each.end == range.end) last = unit;
  }
  if (!first || !last) return scores.amax(1).sum();
  return scores[0][*first] + scores[1][*last];
}

AttentionView SpanAnswerer::attention_of(const QuestionInput& asked,
                                         const AttentionRequest& request) const {
  const c10::InferenceMode inference(!request.gradients);
  const tasks::SpanRequest question{asked.context, asked.story.question};
  const tasks::SpanUnits read = tasks::first_window(trained_, question);
  const tasks::SpanAnswers found = tasks::answer(trained_, {question}, 1).front();
  nn::AttentionRecorder recorder;
  const at::Tensor scores = trained_.model->forward(
      tasks::question_batch({&read.units}, trained_.model->options().pad_token_id))[0];
  const Answer answer = answer_of(asked, found, {});

  // The question has the first numbers.
  std::vector<int64_t> order(read.offsets.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::rotate(order.begin(), order.begin() + read.units.question, order.end());
  const auto text_of_unit = [&](int64_t unit) -> std::string {
    const text::Span& range = read.offsets[static_cast<size_t>(unit)];
    if (range.size() == 0) {
      return trained_.tokenizer->token_of(read.units.ids[static_cast<size_t>(unit)]);
    }
    const std::string& text = unit < read.units.question ? asked.story.question : asked.context;
    return text.substr(range.begin, range.size());
  };
  AttentionView view =
      shown(recorder.self, request.gradients ? answer_score(scores, read, found) : at::Tensor(),
            {order, read.units.question, text_of_unit}, request.part);
  const OrderedJson& span = answer.json.at("answer");
  view.title = answer_title(span.is_null() ? "no answer" : span.get<std::string>(),
                            answer.json.at("probability").get<double>());
  for (const char* name : {"answer", "start", "end", "probability"}) {
    view.details[name] = answer.json.at(name);
  }
  return view;
}

}  // namespace

std::unique_ptr<TaskAdapter> span_answerer(models::TrainedQuestionAnswerer trained,
                                           QuestionOptions options) {
  return std::make_unique<SpanAnswerer>(std::move(trained), std::move(options));
}

}  // namespace heed::cli
