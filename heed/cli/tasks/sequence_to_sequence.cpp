// What an encoder-decoder writes, how close it comes to references, and where it looks.
#include "heed/tasks/sequence_to_sequence.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>

#include "heed/base/error.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/cli/trained.h"
#include "heed/data/columns.h"
#include "heed/inference/text_stream.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/rouge.h"

namespace heed::cli {
namespace {

class TrainedSequenceToSequence final : public Trained {
 public:
  explicit TrainedSequenceToSequence(models::TrainedEncoderDecoder trained)
      : trained_(std::move(trained)) {}

  std::string task() const override { return "seq2seq"; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  size_t most_files() const override { return 2; }
  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<std::string> evaluation_options() const override {
    return {"text-column",    "label-column", "encoding", "beams",
            "length-penalty", "lowercase",    "rouge"};
  }
  std::vector<std::string> prediction_options() const override {
    return {"format", "text-column", "encoding", "beams", "length-penalty", "max-tokens"};
  }
  std::vector<TokenizerPlace> tokenizers() override { return {&trained_.source}; }
  std::vector<Answer> predict(const std::vector<std::string>& inputs,
                              const PredictionOptions& options) override;
  std::optional<std::vector<std::string>> read_inputs(const std::string& file,
                                                      const ReadingOptions& reading) override;
  std::vector<std::string> attention_parts() const override {
    return {"cross", "encoder", "decoder"};
  }
  AttentionView attend(const std::string& input, const std::string& part) override;

 private:
  models::TrainedEncoderDecoder trained_;
};

OrderedJson TrainedSequenceToSequence::description() const {
  const models::EncoderDecoderOptions& options = trained_.model->options();
  OrderedJson all = {{"source_vocabulary", options.source_vocabulary},
                     {"target_vocabulary", options.target_vocabulary},
                     {"tokenizer", trained_.source->model_type()},
                     {"shared_vocabulary", trained_.source == trained_.target},
                     {"tied", options.tied}};
  all.update(described(options.transformer));
  all["decoder_layers"] =
      options.decoder_layers > 0 ? options.decoder_layers : options.transformer.layers;
  return all;
}

data::ParallelReadOptions parallel_reading(const ReadingOptions& reading, data::Labels targets) {
  return {.targets = targets,
          .encoding = reading.parsed().encoding,
          .source_column = reading.text_column,
          .target_column = reading.label_column};
}

tasks::TranslationOptions translation_options(const PredictionOptions& options) {
  return {.beams = options.beams,
          .length_penalty = options.length_penalty,
          .most_tokens = options.most_tokens};
}

Evaluation TrainedSequenceToSequence::evaluate(const EvaluationRequest& request,
                                               const tasks::Progress& progress) {
  data::DataReport report;
  const data::ParallelData data =
      data::read_parallel({.source = request.files[0],
                           .target = request.files.size() > 1 ? request.files[1] : std::string()},
                          parallel_reading(request.reading, data::Labels::kRequired), report);
  throw_or_warn(report);
  std::vector<std::string> sources;
  for (const data::TextPair& pair : data.pairs) sources.push_back(pair.source);

  Evaluation evaluation{.metrics = tasks::target_loss(trained_, data)};
  const auto written =
      tasks::translate(trained_, sources, translation_options(request.prediction), progress);
  const auto letters = request.lowercase ? metrics::LetterCase::kLower : metrics::LetterCase::kKept;
  metrics::Bleu bleu({.letters = letters});
  metrics::Chrf chrf({.letters = letters});
  metrics::Rouge rouge;
  for (size_t i = 0; i < written.size(); ++i) {
    const std::string& reference = data.pairs[i].target;
    bleu.add(written[i].text, reference);
    chrf.add(written[i].text, reference);
    if (request.rouge) rouge.add(written[i].text, std::span(&reference, 1));
  }
  evaluation.metrics.emplace_back("bleu", bleu.score().score);
  evaluation.metrics.emplace_back("chrf", chrf.score());
  if (request.rouge) {
    const metrics::RougeScores mean = rouge.mean();
    evaluation.metrics.emplace_back("rouge1", mean.rouge1.f1);
    evaluation.metrics.emplace_back("rouge2", mean.rouge2.f1);
    evaluation.metrics.emplace_back("rougeL", mean.rouge_l.f1);
    evaluation.metrics.emplace_back("rougeLsum", mean.rouge_lsum.f1);
  }
  evaluation.metrics.emplace_back("examples", static_cast<double>(data.pairs.size()));
  return evaluation;
}

std::vector<Answer> TrainedSequenceToSequence::predict(const std::vector<std::string>& inputs,
                                                       const PredictionOptions& options) {
  const auto written = tasks::translate(trained_, inputs, translation_options(options));
  std::vector<Answer> answers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Answer& answer = answers.emplace_back(Answer{.line = written[i].text});
    std::replace(answer.line.begin(), answer.line.end(), '\n', ' ');
    OrderedJson tokens = OrderedJson::array();
    for (const int64_t id : written[i].ids) {
      tokens.push_back(trained_.target->token_of(static_cast<int32_t>(id)));
    }
    answer.json = {{"text", inputs[i]},
                   {"output", written[i].text},
                   {"tokens", tokens},
                   {"log_probability", written[i].log_probability},
                   {"score", written[i].score}};
  }
  return answers;
}

// TSV, CSV and JSONL: a row may be several lines, so the whole file is read first.
std::optional<std::vector<std::string>> TrainedSequenceToSequence::read_inputs(
    const std::string& file, const ReadingOptions& reading) {
  const auto options = parallel_reading(reading, data::Labels::kNone);
  const auto format = reading.parsed().format;
  if (data::format_of(file, format, data::Labels::kNone) == data::Format::kText) {
    return std::nullopt;
  }
  data::DataReport report;
  const auto data = data::read_parallel({.source = file}, options, report);
  throw_or_warn(report);
  std::vector<std::string> texts;
  for (const data::TextPair& pair : data.pairs) texts.push_back(pair.source);
  return texts;
}

// The text that each id adds to those before it, as the tokenizer decodes them.
std::vector<std::string> pieces_of(const std::shared_ptr<const text::Tokenizer>& tokenizer,
                                   const std::vector<int64_t>& ids) {
  inference::TextStream stream(tokenizer);
  std::vector<std::string> pieces;
  for (const int64_t id : ids) {
    const std::string text(data::trimmed(stream.push(id)));
    pieces.push_back(text.empty() ? tokenizer->token_of(static_cast<int32_t>(id)) : text);
  }
  return pieces;
}

AttentionView TrainedSequenceToSequence::attend(const std::string& input, const std::string& part) {
  const c10::InferenceMode inference;
  if (data::trimmed(input).empty()) {
    throw DataError("the text", "expected at least one word, got none");
  }
  const tasks::Translation written = tasks::translate(trained_, {input})[0];
  std::vector<int64_t> read = {*trained_.target->id_of(models::kBeginToken)};
  read.insert(read.end(), written.ids.begin(), written.ids.end());
  const auto longest = static_cast<size_t>(trained_.model->options().transformer.longest);
  if (read.size() > longest) read.resize(longest);
  const std::vector<int32_t> source = tasks::source_ids(trained_, input);
  const std::vector<int64_t> source_ids(source.begin(), source.end());

  nn::AttentionTrace trace;
  trained_.model->forward({.ids = at::tensor(source_ids, at::kLong).unsqueeze(0)},
                          {.ids = at::tensor(read, at::kLong).unsqueeze(0)}, &trace);
  const auto encoder_layers =
      static_cast<std::ptrdiff_t>(trained_.model->options().transformer.layers);
  const auto middle = trace.weights.begin() + encoder_layers;
  const std::vector<at::Tensor> layers =
      part == "cross"     ? trace.cross_weights
      : part == "encoder" ? std::vector<at::Tensor>(trace.weights.begin(), middle)
                          : std::vector<at::Tensor>(middle, trace.weights.end());

  AttentionView view{.title = written.text,
                     .weights = stacked_layers(layers),
                     .details = {{"text", input}, {"output", written.text}}};
  std::vector<std::string> sources;
  // As the text has it, not as the vocabulary does: "[UNK]" would hide the word.
  for (const text::Span& span : trained_.source->encode(input, text::Surround::kNo).offsets) {
    if (sources.size() + 1 == source.size()) break;
    sources.push_back(input.substr(span.begin, span.size()));
  }
  sources.emplace_back(models::kEndToken);
  // A row of the cross-attention is named after the token that it writes, one of the decoder's own
  // after the token that it reads.
  std::vector<std::string> targets = pieces_of(trained_.target, written.ids);
  if (part == "cross") {
    targets.emplace_back(models::kEndToken);
  } else {
    targets.insert(targets.begin(), models::kBeginToken);
  }
  targets.resize(read.size());
  view.queries = part == "encoder" ? sources : targets;
  view.keys = part == "decoder" ? targets : sources;
  return view;
}

}  // namespace

std::unique_ptr<Trained> load_sequence_to_sequence(const std::filesystem::path& directory) {
  return std::make_unique<TrainedSequenceToSequence>(models::load_encoder_decoder(directory));
}

}  // namespace heed::cli
