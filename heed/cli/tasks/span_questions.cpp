// What a model answers to questions about texts, by a span of the text, and how well.
#include "heed/tasks/span_questions.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "heed/base/error.h"
#include "heed/cli/question_input.h"
#include "heed/cli/tasks/question_answering.h"
#include "heed/text/characters/unicode.h"

namespace heed::cli {
namespace {

class SpanAnswerer final : public QuestionAnswerer {
 public:
  using QuestionAnswerer::QuestionAnswerer;

  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<Answer> predict(const std::vector<std::string>& inputs,
                              const PredictionOptions& options) override;
  std::optional<std::vector<std::string>> read_inputs(const std::string& file,
                                                      const ReadingOptions& reading) override;
  AttentionView attend(const std::string& input, const std::string& part) override;
};

Evaluation SpanAnswerer::evaluate(const EvaluationRequest& request,
                                  const tasks::Progress& progress) {
  const std::vector<std::string>& files = request.files;
  data::DataReport report;
  std::vector<data::SpanData> data;
  for (const std::string& file : files) {
    data.push_back(data::read_spans(file, data::Answers::kRequired, report));
  }
  throw_or_warn(report);
  return evaluation_of(tasks::evaluate(trained_, data, progress), files);
}

OrderedJson span_json(const std::string& context, const tasks::FoundSpan& found) {
  const std::string_view text = context;
  return {{"answer", text.substr(found.range.begin, found.range.size())},
          {"start", text::code_points(text.substr(0, found.range.begin))},
          {"end", text::code_points(text.substr(0, found.range.end))},
          {"probability", found.probability}};
}

Answer answer_of(const QuestionInput& input, const tasks::SpanAnswers& found,
                 const PredictionOptions& options) {
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

std::vector<Answer> SpanAnswerer::predict(const std::vector<std::string>& inputs,
                                          const PredictionOptions& options) {
  std::vector<QuestionInput> asked;
  for (const std::string& input : inputs) {
    asked.push_back(question_input(input, text_of("input ", ++answered_)));
    if (asked.back().context.empty()) {
      throw DataError(text_of("input ", answered_),
                      "expected a text before the question, got none");
    }
  }
  std::vector<tasks::SpanRequest> requests;
  for (const QuestionInput& each : asked) requests.push_back({each.context, each.story.question});
  const auto results = tasks::answer(trained_, requests, options.top);
  std::vector<Answer> answers;
  for (size_t i = 0; i < asked.size(); ++i) {
    answers.push_back(answer_of(asked[i], results[i], options));
  }
  return answers;
}

std::optional<std::vector<std::string>> SpanAnswerer::read_inputs(
    const std::string& file, const ReadingOptions& /*reading*/) {
  if (std::filesystem::path(file).extension() != ".json") return std::nullopt;
  data::DataReport report;
  const data::SpanData data = data::read_spans(file, data::Answers::kNone, report);
  throw_or_warn(report);
  std::vector<std::string> inputs;
  for (const data::SpanQuestion& each : data.questions) {
    inputs.push_back(context_json(data.contexts[each.context], each.question));
  }
  return inputs;
}

AttentionView SpanAnswerer::attend(const std::string& input, const std::string& part) {
  const c10::InferenceMode inference;
  const QuestionInput asked = question_input(input, "the text");
  const tasks::SpanRequest request{asked.context, asked.story.question};
  const tasks::SpanUnits read = tasks::first_window(trained_, request);
  nn::AttentionTrace trace;
  trained_.model->forward(
      tasks::question_batch({&read.units}, trained_.model->options().padding_id), &trace);
  const tasks::SpanAnswers found = tasks::answer(trained_, {request}, 1).front();
  const Answer answer = answer_of(asked, found, {});

  // The question has the first numbers.
  std::vector<int64_t> order(read.offsets.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::rotate(order.begin(), order.begin() + read.units.question, order.end());
  const auto text_of_unit = [&](int64_t unit) {
    const text::Span& range = read.offsets[static_cast<size_t>(unit)];
    const std::string& text = unit < read.units.question ? asked.story.question : asked.context;
    return text.substr(range.begin, range.size());
  };
  AttentionView view = shown(trace.weights, {order, read.units.question, text_of_unit}, part);
  const OrderedJson& span = answer.json.at("answer");
  view.title = answer_title(span.is_null() ? "no answer" : span.get<std::string>(),
                            answer.json.at("probability").get<double>());
  for (const char* name : {"answer", "start", "end", "probability"}) {
    view.details[name] = answer.json.at(name);
  }
  return view;
}

}  // namespace

std::unique_ptr<Trained> span_answerer(models::TrainedQuestionAnswerer trained) {
  return std::make_unique<SpanAnswerer>(std::move(trained));
}

}  // namespace heed::cli
