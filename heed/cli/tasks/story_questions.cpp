// What a model answers to questions about stories, by class, and how well.
#include "heed/tasks/text/story_questions.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/reading/question_input.h"
#include "heed/cli/tasks/question_answering.h"
#include "heed/cli/writing/classification_report.h"

namespace heed::cli {
namespace {

class StoryAnswerer final : public QuestionAnswererAdapter {
 public:
  using QuestionAnswererAdapter::QuestionAnswererAdapter;

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override;
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override;

 protected:
  std::optional<std::vector<QuestionInput>> read(data::TextLines& lines,
                                                 data::DataReport& report) const override;
  std::vector<Answer> answer(std::span<const QuestionInput> asked,
                             AnswerWriter& answers) const override;
  AttentionView attention_of(const QuestionInput& asked,
                             const AttentionRequest& request) const override;

 private:
  Answer answer_of(const tasks::Story& story, const tasks::ClassAnswer& result) const;
};

TaskEvaluation StoryAnswerer::evaluate(const std::vector<std::string>& files,
                                       const tasks::Progress& progress) const {
  data::DataReport report;
  std::vector<data::StoryData> data;
  for (const std::string& file : files) {
    data.push_back(data::read_stories(file, report, options_.reading.limits()));
  }
  throw_or_warn(report);
  TaskEvaluation evaluation = evaluation_of(tasks::evaluate(trained_, data, progress), files);
  tasks::CutTexts cut;
  for (const data::StoryData& file : data) {
    std::vector<tasks::Story> stories;
    for (const auto& each : file.questions) stories.push_back({each.story, each.question});
    cut += tasks::cut_texts(trained_, stories);
    if (!options_.errors) continue;
    const auto results = tasks::answer(trained_, stories);
    for (size_t i = 0; i < results.size(); ++i) {
      const auto label = static_cast<size_t>(results[i].label);
      add_wrong(evaluation, text_of(file.file, ":", file.questions[i].line), stories[i].question,
                {file.questions[i].answer}, trained_.labels[label],
                results[i].probabilities[label]);
    }
  }
  evaluation.warnings = cut.warnings();
  return evaluation;
}

DoctorExamples StoryAnswerer::doctor_examples(const std::vector<std::string>& files) const {
  data::DataReport ignored;  // evaluation tells it
  std::vector<std::string> inputs;
  for (const std::string& file : files) {
    const data::StoryData data = data::read_stories(file, ignored, options_.reading.limits());
    for (const data::StoryQuestion& each : data.questions) {
      inputs.push_back(OrderedJson{{"story", each.story}, {"question", each.question}}.dump());
    }
  }
  return {.inputs = some_of(std::move(inputs))};
}

Answer StoryAnswerer::answer_of(const tasks::Story& story, const tasks::ClassAnswer& result) const {
  const AnswerChoice& options = options_.choice;
  const double probability = result.probabilities[static_cast<size_t>(result.label)];
  const bool known = probability >= options.threshold;
  const std::string& label = trained_.labels[static_cast<size_t>(result.label)];
  Answer answer{.line = answer_line(known ? label : options.unknown, probability)};
  answer.json["question"] = story.question;
  answer.json["answer"] = known ? OrderedJson(label) : OrderedJson(nullptr);
  answer.json["probability"] = probability;
  answer.json["top"] = likeliest_json(trained_.labels, result.probabilities, options.top, "answer");
  return answer;
}

std::vector<Answer> StoryAnswerer::answer(std::span<const QuestionInput> asked,
                                          AnswerWriter& answers) const {
  std::vector<tasks::Story> stories;
  for (const QuestionInput& each : asked) stories.push_back(each.story);
  const auto results = tasks::answer(trained_, stories);
  answers.count_cut(tasks::cut_texts(trained_, stories));
  std::vector<Answer> all;
  for (size_t i = 0; i < stories.size(); ++i) all.push_back(answer_of(stories[i], results[i]));
  return all;
}

// A file as bAbI has it; any other has a question a line.
std::optional<std::vector<QuestionInput>> StoryAnswerer::read(data::TextLines& lines,
                                                              data::DataReport& /*report*/) const {
  const data::ReadOptions options = options_.reading.parsed();
  const data::FileLayout kind = lines.kind(options.format, '\0', LineReader::Wait::kLine);
  if (kind.format != data::Format::kStories) return std::nullopt;
  lines.keep_within(options.limits);
  const data::StoryData data = data::read_stories(lines);
  std::vector<QuestionInput> inputs;
  for (const data::StoryQuestion& each : data.questions) {
    QuestionInput& input = inputs.emplace_back();
    input.story = {each.story, each.question};
    input.text = joined(each.story, " ");
    input.where = text_of(data.file, ":", each.line);
  }
  return inputs;
}

// The units in the order of the story, the question last.
std::vector<int64_t> reading_order(const std::vector<tasks::StorySource>& sources) {
  std::vector<int64_t> order(sources.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto key = [&](int64_t unit) {
    const int64_t sentence = sources[static_cast<size_t>(unit)].sentence;
    return sentence < 0 ? std::numeric_limits<int64_t>::max() : sentence;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return key(a) < key(b); });
  return order;
}

AttentionView StoryAnswerer::attention_of(const QuestionInput& asked,
                                          const AttentionRequest& request) const {
  const c10::InferenceMode inference(!request.gradients);
  const tasks::Story& story = asked.story;
  const tasks::StoryUnits read = tasks::story_units(trained_, story);
  nn::AttentionRecorder recorder;
  const at::Tensor logits = trained_.model->forward(
      tasks::question_batch({&read.units}, trained_.model->options().pad_token_id))[0];
  const at::Tensor probabilities = logits.detach().to(at::kDouble).softmax(-1);
  const int64_t label = probabilities.argmax().item<int64_t>();
  const auto probability = probabilities[label].item<double>();
  const std::string& name = trained_.labels[static_cast<size_t>(label)];

  const auto text_of_unit = [&](int64_t unit) {
    const tasks::StorySource& source = read.sources[static_cast<size_t>(unit)];
    const std::string& sentence = source.sentence < 0
                                      ? story.question
                                      : story.sentences[static_cast<size_t>(source.sentence)];
    return sentence.substr(source.range.begin, source.range.size());
  };
  AttentionView view =
      shown(recorder.self, request.gradients ? logits[label] : at::Tensor(),
            {reading_order(read.sources), read.units.question, text_of_unit}, request.part);
  view.title = answer_title(name, probability);
  view.details = {{"answer", name}, {"probability", probability}};
  return view;
}

}  // namespace

std::unique_ptr<TaskAdapter> story_answerer(models::TrainedQuestionAnswerer trained,
                                            QuestionOptions options) {
  return std::make_unique<StoryAnswerer>(std::move(trained), std::move(options));
}

}  // namespace heed::cli
