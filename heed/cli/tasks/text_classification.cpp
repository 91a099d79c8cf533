// What a classifier of texts answers, and how well.
#include "heed/tasks/text_classification.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/trained.h"

namespace heed::cli {
namespace {

class TrainedClassification final : public Trained {
 public:
  explicit TrainedClassification(models::TrainedTextClassifier trained)
      : trained_(std::move(trained)) {}

  std::string task() const override { return trained_.task; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<std::string> prediction_options() const override { return {"threshold", "unknown"}; }
  std::vector<Answer> predict(const std::vector<std::string>& inputs,
                              const PredictionOptions& options) override;
  std::optional<std::vector<std::string>> read_inputs(const std::string& file,
                                                      const ReadingOptions& reading) override;
  AttentionView attend(const std::string& input, const std::string& part) override;

 private:
  Answer answer(const std::string& text, const tasks::Classification& result,
                const PredictionOptions& options) const;

  models::TrainedTextClassifier trained_;
};

OrderedJson TrainedClassification::description() const {
  const models::TextClassifierOptions& o = trained_.model->options();
  return {
      {"labels", trained_.labels},  {"vocabulary", o.vocabulary},
      {"width", o.width},           {"heads", o.heads},
      {"layers", o.layers},         {"hidden", o.hidden},
      {"longest", o.longest},       {"norm", o.norm},
      {"activation", o.activation},
  };
}

Evaluation TrainedClassification::evaluate(const EvaluationRequest& request,
                                           const tasks::Progress& progress) {
  data::ReadOptions reading = request.reading.parsed();
  reading.label_names = trained_.labels;
  data::DataReport report;
  const auto data = data::read_classification(request.file, reading, report);
  report.throw_if_fatal();
  std::cerr << report.text();
  return {.metrics = tasks::evaluate(trained_, data, progress)};
}

Answer TrainedClassification::answer(const std::string& text, const tasks::Classification& result,
                                     const PredictionOptions& options) const {
  const double probability = result.probabilities[static_cast<size_t>(result.label)];
  const bool known = probability >= options.threshold;
  const std::string& label =
      known ? trained_.labels[static_cast<size_t>(result.label)] : options.unknown;
  char number[32];
  std::snprintf(number, sizeof number, "\t%.4f", probability);
  Answer answer{.line = label + number};
  answer.json["text"] = text;
  answer.json["label"] = known ? OrderedJson(label) : OrderedJson(nullptr);
  for (size_t c = 0; c < trained_.labels.size(); ++c) {
    answer.json["probabilities"][trained_.labels[c]] = result.probabilities[c];
  }
  return answer;
}

std::vector<Answer> TrainedClassification::predict(const std::vector<std::string>& inputs,
                                                   const PredictionOptions& options) {
  const auto results = tasks::classify(trained_, inputs);
  std::vector<Answer> answers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    answers.push_back(answer(inputs[i], results[i], options));
  }
  return answers;
}

// TSV, CSV and JSONL: a row may be several lines, so the whole file is read first.
std::optional<std::vector<std::string>> TrainedClassification::read_inputs(
    const std::string& file, const ReadingOptions& reading) {
  data::ReadOptions options = reading.parsed();
  options.labels = data::Labels::kNone;
  if (data::format_of(file, options.format, options.labels) == data::Format::kText) {
    return std::nullopt;
  }
  data::DataReport report;
  const auto data = data::read_classification(file, options, report);
  report.throw_if_fatal();
  std::cerr << report.text();
  std::vector<std::string> texts;
  for (const data::Example& example : data.examples) texts.push_back(example.text);
  return texts;
}

AttentionView TrainedClassification::attend(const std::string& input, const std::string& /*part*/) {
  const c10::InferenceMode inference;
  const text::Encoding encoding = trained_.tokenizer->encode(input);
  if (encoding.ids.empty()) throw DataError("the sentence", "expected at least one word, got none");
  nn::AttentionTrace trace;
  const auto batch = tasks::text_batch({&encoding.ids}, trained_.model->options().padding_id);
  const at::Tensor probabilities =
      trained_.model->forward(batch, &trace).to(at::kDouble).softmax(-1)[0];
  const int64_t label = probabilities.argmax().item<int64_t>();
  const auto probability = probabilities[label].item<double>();
  const std::string& name = trained_.labels[static_cast<size_t>(label)];
  std::vector<at::Tensor> layers;
  for (const at::Tensor& weights : trace.weights) layers.push_back(weights[0]);
  AttentionView view{.title = text_of(name, " (", static_cast<int>(probability * 100 + 0.5), " %)"),
                     .weights = stacked_layers(layers),
                     .details = {{"label", name}, {"probability", probability}}};
  // As the text has it, not as the vocabulary does: "[UNK]" would hide the word.
  for (const text::Span& span : encoding.offsets) {
    view.queries.push_back(input.substr(span.begin, span.size()));
  }
  view.keys = view.queries;
  return view;
}

}  // namespace

std::unique_ptr<Trained> load_text_classification(const std::filesystem::path& directory) {
  return std::make_unique<TrainedClassification>(models::load_text_classifier(directory));
}

}  // namespace heed::cli
