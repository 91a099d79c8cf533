// What a classifier of texts answers, and how well.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/token_attention.h"
#include "heed/cli/text_task.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/doctor/tables.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/text/classify.h"

namespace heed::cli {
namespace {

// What `heed eval --threshold` says.
struct LabelThreshold {
  std::optional<double> threshold;

  void add_to(Options& options) {
    options
        .add("--threshold", threshold,
             "From which probability on a label is given, in place of the thresholds of the "
             "model; where a text may have several")
        .share_or_nothing();
  }
};

struct ClassificationOptions {
  ReadingOptions reading = {};
  AnswerChoice choice = {};
  bool errors = false;
  SpecialTokensOption special = {};
  bool judgements = false;  // of each example, which evaluation gives then

  void check() const { reading.parsed(); }
};

class TextClassifierAdapter final : public TextTask<TextInput> {
 public:
  TextClassifierAdapter(models::TrainedTextClassifier trained, ClassificationOptions options);

  OrderedJson description() const override;
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override;
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override;
  const torch::nn::Module* network() const override { return trained_.model.get(); }

 protected:
  data::CharacterEncoding encoding() const override {
    return reading_of(data::Labels::kNone).encoding;
  }
  std::optional<std::vector<TextInput>> read(data::TextLines& lines,
                                             data::DataReport& report) const override;
  TextInput input_of(std::string line) const override { return {.text = std::move(line)}; }
  std::vector<Answer> answer(std::span<const TextInput> inputs,
                             AnswerWriter& answers) const override;
  AttentionView attention_of(const TextInput& input,
                             const AttentionRequest& request) const override;

 private:
  void judge(const std::vector<std::string>& files, const data::ClassificationData& data,
             const tasks::EncodedTexts& encoded, std::vector<std::vector<double>> probabilities,
             TaskEvaluation& evaluation) const;
  bool several() const { return has_several_labels(trained_); }
  std::string line_of(const tasks::Classification& result) const;
  OrderedJson json_of(const tasks::Classification& result, bool list_top) const;

  data::ReadOptions reading_of(data::Labels labels) const;
  std::vector<TaskEvaluation::Wrong> wrong_of(const data::ClassificationData& data,
                                              const std::vector<tasks::Judged>& results) const;

  models::TrainedTextClassifier trained_;
  ClassificationOptions options_;
};

// A threshold that the command line gives holds for every label.
TextClassifierAdapter::TextClassifierAdapter(models::TrainedTextClassifier trained,
                                             ClassificationOptions options)
    : trained_(std::move(trained)), options_(std::move(options)) {
  const std::optional<double>& threshold = options_.choice.threshold;
  if (several() && threshold) trained_.thresholds.assign(trained_.labels.size(), *threshold);
  options_.special.apply_to(trained_.tokenizer);
}

OrderedJson TextClassifierAdapter::description() const {
  OrderedJson all = {{"labels", trained_.labels}};
  if (several()) {
    all["label_separator"] = trained_.label_separator;
    all["thresholds"] = trained_.thresholds;
  }
  return models::with_fields(std::move(all), trained_.model->options());
}

TaskEvaluation TextClassifierAdapter::evaluate(const std::vector<std::string>& files,
                                               const tasks::Progress& progress) const {
  check_usage(several() || !options_.choice.threshold,
              "--threshold: has no meaning for a model that gives one label a text");
  data::DataReport report;
  const auto data =
      data::read_classification(paths_of(files), reading_of(data::Labels::kRequired), report);
  throw_or_warn(report);
  const std::vector<std::string> texts = tasks::texts_of(data);
  const tasks::EncodedTexts encoded = tasks::encode_texts(trained_, texts);
  const bool judged = options_.judgements && !several();
  std::vector<tasks::Judged> results(texts.size());
  std::vector<std::vector<double>> probabilities(judged ? texts.size() : 0);
  tasks::classify_each(
      trained_, encoded,
      [&](size_t i, tasks::Classification result) {
        results[i] = tasks::judge(result, data.examples[i]);
        if (judged) probabilities[i] = std::move(result.probabilities);
      },
      progress);
  TaskEvaluation evaluation =
      evaluation_of(tasks::scores_of(trained_, data, results), trained_.labels);
  evaluation.tokens = std::accumulate(encoded.lengths.begin(), encoded.lengths.end(), int64_t{0});
  if (judged) judge(files, data, encoded, std::move(probabilities), evaluation);
  evaluation.warnings = tasks::cut_texts(trained_, texts).warnings();
  if (options_.errors) evaluation.wrong = wrong_of(data, results);
  return evaluation;
}

void TextClassifierAdapter::judge(const std::vector<std::string>& files,
                                  const data::ClassificationData& data,
                                  const tasks::EncodedTexts& encoded,
                                  std::vector<std::vector<double>> probabilities,
                                  TaskEvaluation& evaluation) const {
  const doctor::FurtherColumns further =
      doctor::further_columns(paths_of(files), reading_of(data::Labels::kRequired), data);
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const data::Example& example = data.examples[i];
    doctor::Judgement& judgement = evaluation.judgements.emplace_back(
        doctor::Judgement{.tokens = encoded.lengths[i],
                          .expected = *example.label,
                          .probabilities = std::move(probabilities[i])});
    const auto* cells = further.find(example.file, example.line);
    if (cells != nullptr) judgement.columns = *cells;
  }
  evaluation.labels = trained_.labels;
  evaluation.columns = further.names;
}

DoctorExamples TextClassifierAdapter::doctor_examples(const std::vector<std::string>& files) const {
  return {.inputs =
              some_texts(files, doctor::DataTask::kClassify, reading_of(data::Labels::kRequired))};
}

// The labels of the model, and the columns that it was trained with.
data::ReadOptions TextClassifierAdapter::reading_of(data::Labels labels) const {
  data::ReadOptions options = options_.reading.parsed();
  options.labels = labels;
  options.label_names = trained_.labels;
  options.label_separator = trained_.label_separator;
  options.known_text_column = models::column_of(trained_.columns, "text");
  options.known_label_column = models::column_of(trained_.columns, "label");
  return options;
}

std::vector<TaskEvaluation::Wrong> TextClassifierAdapter::wrong_of(
    const data::ClassificationData& data, const std::vector<tasks::Judged>& results) const {
  const auto names = [&](const std::vector<int32_t>& labels) {
    OrderedJson all = OrderedJson::array();
    for (const int32_t c : labels) all.push_back(trained_.labels[static_cast<size_t>(c)]);
    return all;
  };
  std::vector<TaskEvaluation::Wrong> wrong;
  for (size_t i = 0; i < results.size(); ++i) {
    const data::Example& example = data.examples[i];
    const tasks::Judged& found = results[i];
    if (several() ? found.labels == example.labels : found.label == example.label) continue;
    const std::vector<int32_t> one = {static_cast<int32_t>(found.label)};
    wrong.push_back(
        {.confidence = found.confidence,
         .row = {{"where", data.where(example)},
                 {"expected", names(several() ? example.labels : std::vector{*example.label})},
                 {"predicted", names(several() ? found.labels : one)},
                 {"probability", found.confidence},
                 {"text", example.text}}});
  }
  return wrong;
}

// "good<TAB>0.9312"; of several labels those that are given, the likeliest first.
std::string TextClassifierAdapter::line_of(const tasks::Classification& result) const {
  const AnswerChoice& options = options_.choice;
  const auto probability = [&](int64_t c) { return result.probabilities[static_cast<size_t>(c)]; };
  const auto name = [&](int64_t c) { return trained_.labels[static_cast<size_t>(c)]; };
  if (!several()) {
    const bool known = probability(result.label) >= options.threshold.value_or(0);
    return answer_line(known ? name(result.label) : options.unknown, probability(result.label));
  }
  std::vector<int32_t> labels = result.labels;
  std::stable_sort(labels.begin(), labels.end(),
                   [&](int32_t a, int32_t b) { return probability(a) > probability(b); });
  if (labels.empty()) return options.unknown;
  return joined(labels, "\t", [&](int32_t c) { return answer_line(name(c), probability(c)); });
}

OrderedJson TextClassifierAdapter::json_of(const tasks::Classification& result,
                                           bool list_top) const {
  const AnswerChoice& options = options_.choice;
  OrderedJson json = OrderedJson::object();
  if (several()) {
    json["labels"] = OrderedJson::array();
    for (const int32_t c : result.labels) {
      json["labels"].push_back(trained_.labels[static_cast<size_t>(c)]);
    }
  } else {
    const auto label = static_cast<size_t>(result.label);
    const bool known = result.probabilities[label] >= options.threshold.value_or(0);
    json["label"] = known ? OrderedJson(trained_.labels[label]) : OrderedJson(nullptr);
  }
  json["probabilities"] = probabilities_json(trained_.labels, result.probabilities);
  if (list_top) json["top"] = likeliest_json(trained_.labels, result.probabilities, options.top);
  return json;
}

std::vector<Answer> TextClassifierAdapter::answer(std::span<const TextInput> inputs,
                                                  AnswerWriter& answers) const {
  std::vector<std::string> texts;
  for (const TextInput& input : inputs) texts.push_back(input.text);
  const auto results = tasks::classify(trained_, texts);
  answers.count_cut(tasks::cut_texts(trained_, texts));
  std::vector<Answer> found;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!answers.form().wants_json()) {
      found.push_back({.line = line_of(results[i])});
      continue;
    }
    OrderedJson json = {{"text", texts[i]}};
    json.update(json_of(results[i], answers.form().has_column("top")));
    found.push_back({.json = std::move(json)});
  }
  return found;
}

// A row of a table may be several lines, so the whole file is read first.
std::optional<std::vector<TextInput>> TextClassifierAdapter::read(
    data::TextLines& lines, data::DataReport& /*report*/) const {
  const data::ReadOptions options = reading_of(data::Labels::kNone);
  const data::FileLayout kind = data::kind_of(lines, options, LineReader::Wait::kLine);
  if (kind.format == data::Format::kText) return std::nullopt;
  lines.keep_within(options.limits);
  const auto data = data::read_classification(lines, kind, options);
  std::vector<TextInput> inputs;
  for (const data::Example& example : data.examples) {
    inputs.push_back({.text = example.text, .where = data.where(example)});
  }
  return inputs;
}

// The tokens of a text's rows.
std::vector<std::vector<std::string>> tokens_of(const models::TrainedTextClassifier& trained,
                                                const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (const text::Span& row : tasks::rows_of(trained, text)) {
    const std::string part = text.substr(row.begin, row.size());
    rows.push_back(names_of(trained.tokenizer->encode(part), part));
  }
  return rows;
}

// As show_document has the weights: what the weight of a word in the document does, it does by that
// of the word in its sentence.
at::Tensor document_effects(const nn::AttendedHeads& words, const at::Tensor& score,
                            const models::DocumentTrace& trace,
                            const std::vector<std::vector<std::string>>& sentences) {
  const at::Tensor weights = trace.token_weights.unsqueeze(1).unsqueeze(1);  // (rows, 1, 1, N)
  const at::Tensor effects = effects_of(words, weights, output_gradients({words}, score).front());
  std::vector<at::Tensor> rows;
  for (int64_t m = 0; m < std::ssize(sentences); ++m) {
    const auto length = std::ssize(sentences[static_cast<size_t>(m)]);
    rows.push_back(effects[m].flatten().narrow(0, 0, length));
  }
  return at::block_diag(rows).unsqueeze(0).unsqueeze(0);
}

// Words shaded by their weight in their sentence, sentences behind theirs; as a matrix, a row for
// each sentence, whose entries are the weights of its words in the document.
void show_document(const std::vector<std::vector<std::string>>& sentences,
                   const models::DocumentTrace& trace, AttentionView& view) {
  const auto count = std::ssize(sentences);
  for (const auto& tokens : sentences) {
    view.keys.insert(view.keys.end(), tokens.begin(), tokens.end());
  }
  view.weights = at::zeros({1, 1, count, std::ssize(view.keys)});
  int64_t first = 0;
  for (int64_t m = 0; m < count; ++m) {
    const std::vector<std::string>& tokens = sentences[static_cast<size_t>(m)];
    const auto length = std::ssize(tokens);
    const at::Tensor words = trace.token_weights[m].narrow(0, 0, length).contiguous();
    const auto weight = trace.sentence_weights[0][m].item<float>();
    view.weights[0][0][m].narrow(0, first, length).copy_(words * weight);
    first += length;
    const auto* values = words.const_data_ptr<float>();
    view.lines.push_back(
        {.weight = weight, .tokens = tokens, .weights = {values, values + length}});
    view.queries.push_back(text_of("sentence ", m + 1));
    view.details["sentences"].push_back(
        {{"weight", weight}, {"tokens", tokens}, {"weights", view.lines.back().weights}});
  }
}

AttentionView TextClassifierAdapter::attention_of(const TextInput& asked,
                                                  const AttentionRequest& request) const {
  const std::string& input = asked.text;
  const c10::InferenceMode inference(!request.gradients);
  const auto rows = tokens_of(trained_, input);
  const bool nothing =
      std::all_of(rows.begin(), rows.end(), [](const auto& tokens) { return tokens.empty(); });
  if (nothing) throw DataError("the sentence", "expected at least one word, got none");
  const bool hierarchical = is_hierarchical(trained_.model->options());
  models::DocumentTrace trace;
  nn::AttentionRecorder recorder;
  const tasks::TextRows ids = tasks::encode_rows(trained_, input);
  const at::Tensor logits = trained_.model->forward(tasks::document_batch(*trained_.model, {&ids}),
                                                    hierarchical ? &trace : nullptr);
  const at::Tensor probabilities = tasks::probabilities_of(trained_, logits.detach())[0];
  const auto label = probabilities.argmax().item<int64_t>();
  const auto probability = probabilities[label].item<double>();
  const std::string& name = trained_.labels[static_cast<size_t>(label)];
  AttentionView view{.title = answer_title(name, probability),
                     .details = {{"label", name}, {"probability", probability}}};
  if (request.gradients) view.score = logits[0][label];
  if (hierarchical) {
    // The words of all sentences are pooled before the sentences are.
    const nn::AttendedHeads& words = recorder.pooled.front();
    if (request.gradients) view.effects = document_effects(words, view.score, trace, rows);
    const at::NoGradGuard no_grad;
    show_document(rows, trace, view);
  } else {
    view.queries = view.keys = rows[0];
    view.calls = std::move(recorder.self);
  }
  return view;
}

TaskLoader define_text_classification(TaskOptions& options, Use use) {
  std::function<ClassificationOptions()> given = [use]() -> ClassificationOptions {
    return {.judgements = use == Use::kDoctor};
  };
  if (use == Use::kEval) {
    given = [&reading = options.use<ReadingOptions>(), &label = options.use<LabelThreshold>(),
             &errors = options.use<ErrorsOption>()]() -> ClassificationOptions {
      return {
          .reading = reading, .choice = {.threshold = label.threshold}, .errors = errors.wanted()};
    };
  } else if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>(), &choice = options.use<AnswerChoice>(),
             &special = options.use<SpecialTokensOption>()]() -> ClassificationOptions {
      return {.reading = reading, .choice = choice, .special = special};
    };
  }
  return loader_of<TextClassifierAdapter>(given, models::load_text_classifier);
}

}  // namespace

TaskKind text_classification() {
  return {.model_type = "heed_text_classifier",
          .name = "classify",
          .define = define_text_classification,
          .purpose = models::published::Purpose::kSequenceClassification};
}

}  // namespace heed::cli
