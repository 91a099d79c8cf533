// What a classifier of texts answers, and how well.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>

#include "heed/base/error.h"
#include "heed/cli/classification_report.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/cli/trained.h"
#include "heed/tasks/classify.h"

namespace heed::cli {
namespace {

// The options of reading and `more`.
std::vector<std::string> reading_and(const std::vector<std::string>& more) {
  std::vector<std::string> all = ReadingOptions::names();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

class TrainedClassification final : public Trained {
 public:
  explicit TrainedClassification(models::TrainedTextClassifier trained)
      : trained_(std::move(trained)) {}

  std::string task() const override { return trained_.task; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<std::string> evaluation_options() const override {
    return reading_and({"threshold", "errors"});
  }
  std::vector<std::string> prediction_options() const override {
    return reading_and({"threshold", "unknown", "top"});
  }
  std::vector<TokenizerPlace> tokenizers() override { return {&trained_.tokenizer}; }
  std::vector<Answer> predict(std::span<const Input> inputs,
                              const PredictionOptions& options) override;
  std::optional<std::vector<Input>> read_inputs(data::TextLines& lines,
                                                const ReadingOptions& reading,
                                                data::DataReport& report) override;
  std::vector<std::string> warnings() const override { return cut_.warnings(); }
  AttentionView attend(const std::string& input, const std::string& part) override;

 private:
  bool several() const { return has_several_labels(trained_); }
  void use_threshold(const std::optional<double>& threshold);
  std::string line_of(const tasks::Classification& result, const PredictionOptions& options) const;
  OrderedJson json_of(const tasks::Classification& result, const PredictionOptions& options) const;

  data::ReadOptions reading_of(const ReadingOptions& reading) const;
  std::vector<Evaluation::Wrong> wrong_of(const data::ClassificationData& data,
                                          const std::vector<tasks::Classification>& results) const;

  models::TrainedTextClassifier trained_;
  tasks::CutTexts cut_;
};

OrderedJson TrainedClassification::description() const {
  const models::TextClassifierOptions& options = trained_.model->options();
  OrderedJson all = {{"labels", trained_.labels}, {"vocab_size", options.vocab_size}};
  if (several()) {
    all["label_separator"] = trained_.label_separator;
    all["thresholds"] = trained_.thresholds;
  }
  all["documents"] = options.documents;
  if (is_hierarchical(options)) {
    all["max_sentences"] = options.max_sentences;
    all["num_sentence_layers"] = options.num_sentence_layers;
  }
  all.update(described(options.transformer));
  return all;
}

// One that the command line gives holds for every label.
void TrainedClassification::use_threshold(const std::optional<double>& threshold) {
  if (several() && threshold) trained_.thresholds.assign(trained_.labels.size(), *threshold);
}

Evaluation TrainedClassification::evaluate(const EvaluationRequest& request,
                                           const tasks::Progress& progress) {
  check_usage(several() || !request.prediction.threshold,
              "--threshold: has no meaning for a model that gives one label a text");
  use_threshold(request.prediction.threshold);
  data::DataReport report;
  const auto data =
      data::read_classification(paths_of(request.files), reading_of(request.reading), report);
  throw_or_warn(report);
  const std::vector<std::string> texts = tasks::texts_of(data);
  cut_ += tasks::cut_texts(trained_, texts);
  const auto results = tasks::classify(trained_, texts, progress);
  Evaluation evaluation = evaluation_of(tasks::scores_of(trained_, data, results), trained_.labels);
  if (request.wrong) evaluation.wrong = wrong_of(data, results);
  return evaluation;
}

// The labels of the model, and the columns that it was trained with.
data::ReadOptions TrainedClassification::reading_of(const ReadingOptions& reading) const {
  data::ReadOptions options = reading.parsed();
  options.label_names = trained_.labels;
  options.label_separator = trained_.label_separator;
  options.known_text_column = trained_.columns.text;
  options.known_label_column = trained_.columns.label;
  return options;
}

std::vector<Evaluation::Wrong> TrainedClassification::wrong_of(
    const data::ClassificationData& data, const std::vector<tasks::Classification>& results) const {
  const auto names = [&](const std::vector<int32_t>& labels) {
    OrderedJson all = OrderedJson::array();
    for (const int32_t c : labels) all.push_back(trained_.labels[static_cast<size_t>(c)]);
    return all;
  };
  std::vector<Evaluation::Wrong> wrong;
  for (size_t i = 0; i < results.size(); ++i) {
    const data::Example& example = data.examples[i];
    const tasks::Classification& found = results[i];
    if (several() ? found.labels == example.labels : found.label == example.label) continue;
    const double confidence =
        several() ? *std::max_element(found.probabilities.begin(), found.probabilities.end())
                  : found.probabilities[static_cast<size_t>(found.label)];
    const std::vector<int32_t> one = {static_cast<int32_t>(found.label)};
    wrong.push_back(
        {.confidence = confidence,
         .row = {{"where", data.where(example)},
                 {"expected", names(several() ? example.labels : std::vector{*example.label})},
                 {"predicted", names(several() ? found.labels : one)},
                 {"probability", confidence},
                 {"text", example.text}}});
  }
  return wrong;
}

// "good<TAB>0.9312"; of several labels those that are given, the likeliest first.
std::string TrainedClassification::line_of(const tasks::Classification& result,
                                           const PredictionOptions& options) const {
  const auto probability = [&](int64_t c) { return result.probabilities[static_cast<size_t>(c)]; };
  const auto name = [&](int64_t c) { return trained_.labels[static_cast<size_t>(c)]; };
  if (!several()) {
    const bool known = probability(result.label) >= options.threshold.value_or(0);
    return answer_line(known ? name(result.label) : options.unknown, probability(result.label));
  }
  std::vector<int32_t> labels = result.labels;
  std::stable_sort(labels.begin(), labels.end(),
                   [&](int32_t a, int32_t b) { return probability(a) > probability(b); });
  std::string line;
  for (const int32_t c : labels) {
    line += (line.empty() ? "" : "\t") + answer_line(name(c), probability(c));
  }
  return line.empty() ? options.unknown : line;
}

OrderedJson TrainedClassification::json_of(const tasks::Classification& result,
                                           const PredictionOptions& options) const {
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
  for (size_t c = 0; c < trained_.labels.size(); ++c) {
    json["probabilities"][trained_.labels[c]] = result.probabilities[c];
  }
  if (!options.list_top) return json;
  std::vector<size_t> order(trained_.labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return result.probabilities[a] > result.probabilities[b];
  });
  order.resize(std::min(order.size(), static_cast<size_t>(options.top)));
  for (const size_t c : order) {
    json["top"].push_back(
        {{"label", trained_.labels[c]}, {"probability", result.probabilities[c]}});
  }
  return json;
}

std::vector<Answer> TrainedClassification::predict(std::span<const Input> inputs,
                                                   const PredictionOptions& options) {
  use_threshold(options.threshold);
  std::vector<std::string> texts;
  for (const Input& input : inputs) texts.push_back(input.text);
  const auto results = tasks::classify(trained_, texts);
  cut_ += tasks::cut_texts(trained_, texts);
  std::vector<Answer> answers;
  for (size_t i = 0; i < texts.size(); ++i) {
    Answer answer{.line = line_of(results[i], options), .json = {{"text", texts[i]}}};
    answer.json.update(json_of(results[i], options));
    answers.push_back(std::move(answer));
  }
  return answers;
}

// A row of a table may be several lines, so the whole file is read first.
std::optional<std::vector<Input>> TrainedClassification::read_inputs(data::TextLines& lines,
                                                                     const ReadingOptions& reading,
                                                                     data::DataReport& /*report*/) {
  data::ReadOptions options = reading_of(reading);
  options.labels = data::Labels::kNone;
  const data::FileKind kind = data::kind_of(lines, options, LineReader::Wait::kLine);
  if (kind.format == data::Format::kText) return std::nullopt;
  lines.keep_within(options.limits);
  const auto data = data::read_classification(lines, kind, options);
  std::vector<Input> inputs;
  for (const data::Example& example : data.examples) {
    inputs.push_back({.text = example.text, .where = data.where(example)});
  }
  return inputs;
}

// The tokens of a text's rows as the text has them, not as the vocabulary does: "[UNK]" would hide
// the word.
std::vector<std::vector<std::string>> tokens_of(const models::TrainedTextClassifier& trained,
                                                const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (const text::Span& row : tasks::rows_of(trained, text)) {
    const std::string part = text.substr(row.begin, row.size());
    rows.emplace_back();
    for (const text::Span& span : trained.tokenizer->encode(part).offsets) {
      rows.back().push_back(part.substr(span.begin, span.size()));
    }
  }
  return rows;
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

void show_tokens(const std::vector<std::string>& tokens, const models::DocumentTrace& trace,
                 AttentionView& view) {
  view.weights = stacked_layers(trace.tokens.weights);
  view.queries = view.keys = tokens;
}

AttentionView TrainedClassification::attend(const std::string& input, const std::string& /*part*/) {
  const c10::InferenceMode inference;
  const auto rows = tokens_of(trained_, input);
  const bool nothing =
      std::all_of(rows.begin(), rows.end(), [](const auto& tokens) { return tokens.empty(); });
  if (nothing) throw DataError("the sentence", "expected at least one word, got none");
  models::DocumentTrace trace;
  const tasks::TextRows ids = tasks::encode_rows(trained_, input);
  const at::Tensor probabilities = tasks::probabilities_of(
      trained_, trained_.model->forward(tasks::document_batch(*trained_.model, {&ids}), &trace))[0];
  const auto label = probabilities.argmax().item<int64_t>();
  const auto probability = probabilities[label].item<double>();
  const std::string& name = trained_.labels[static_cast<size_t>(label)];
  AttentionView view{.title = answer_title(name, probability),
                     .details = {{"label", name}, {"probability", probability}}};
  if (is_hierarchical(trained_.model->options())) {
    show_document(rows, trace, view);
  } else {
    show_tokens(rows[0], trace, view);
  }
  return view;
}

}  // namespace

std::unique_ptr<Trained> load_text_classification(const std::filesystem::path& directory) {
  return std::make_unique<TrainedClassification>(models::load_text_classifier(directory));
}

}  // namespace heed::cli
