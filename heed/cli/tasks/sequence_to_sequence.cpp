// What an encoder-decoder writes, how close it comes to references, and where it looks.
#include "heed/tasks/sequence_to_sequence.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>

#include "heed/base/error.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/cli/trained.h"
#include "heed/inference/text_stream.h"
#include "heed/io/printable.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/rouge.h"

namespace heed::cli {
namespace {

// The options of reading and `more`.
std::vector<std::string> reading_and(const std::vector<std::string>& more) {
  std::vector<std::string> all = ReadingOptions::names();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

class TrainedSequenceToSequence final : public Trained {
 public:
  explicit TrainedSequenceToSequence(models::TrainedEncoderDecoder trained)
      : trained_(std::move(trained)) {}

  std::string task() const override { return "seq2seq"; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<std::string> evaluation_options() const override {
    return reading_and({"num-beams", "length-penalty", "lowercase", "rouge", "errors"});
  }
  std::vector<std::string> prediction_options() const override {
    return reading_and({"num-beams", "length-penalty", "max-new-tokens"});
  }
  std::vector<TokenizerPlace> tokenizers() override { return {&trained_.source}; }
  std::vector<Answer> predict(std::span<const Input> inputs,
                              const PredictionOptions& options) override;
  std::optional<std::vector<Input>> read_inputs(data::TextLines& lines,
                                                const ReadingOptions& reading,
                                                data::DataReport& report) override;
  std::vector<std::string> warnings() const override { return cut_.warnings(); }
  std::vector<std::string> attention_parts() const override {
    return {"cross", "encoder", "decoder"};
  }
  AttentionView attend(const std::string& input, const std::string& part) override;

 private:
  data::ParallelReadOptions reading_of(const ReadingOptions& reading, data::Labels targets) const;

  models::TrainedEncoderDecoder trained_;
  tasks::CutTexts cut_;
};

OrderedJson TrainedSequenceToSequence::description() const {
  const models::EncoderDecoderOptions& options = trained_.model->options();
  OrderedJson all = {{"source_vocab_size", options.source_vocab_size},
                     {"target_vocab_size", options.target_vocab_size},
                     {"tokenizer", trained_.source->model_type()},
                     {"shared_vocabulary", trained_.source == trained_.target},
                     {"tie_word_embeddings", options.tie_word_embeddings}};
  all.update(described(options.transformer));
  all["num_decoder_layers"] =
      options.num_decoder_layers > 0 ? options.num_decoder_layers : options.transformer.num_layers;
  return all;
}

// With the columns that the model was trained with.
data::ParallelReadOptions TrainedSequenceToSequence::reading_of(const ReadingOptions& reading,
                                                                data::Labels targets) const {
  const data::ReadOptions parsed = reading.parsed();
  return {.format = parsed.format,
          .delimiter = parsed.delimiter,
          .header = parsed.header,
          .targets = targets,
          .encoding = parsed.encoding,
          .source_column = reading.text_column,
          .target_column = reading.label_column,
          .known_source_column = trained_.columns.text,
          .known_target_column = trained_.columns.label,
          .limits = parsed.limits};
}

tasks::TranslationOptions translation_options(const PredictionOptions& options) {
  return {.num_beams = options.num_beams,
          .length_penalty = options.length_penalty,
          .max_new_tokens = options.max_new_tokens};
}

Evaluation TrainedSequenceToSequence::evaluate(const EvaluationRequest& request,
                                               const tasks::Progress& progress) {
  data::DataReport report;
  const data::ParallelData data = data::read_parallel_files(
      paths_of(request.files), reading_of(request.reading, data::Labels::kRequired), report);
  throw_or_warn(report);
  std::vector<std::string> sources;
  for (const data::TextPair& pair : data.pairs) sources.push_back(pair.source);
  cut_ += tasks::cut_texts(trained_, data);

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
    if (!request.wrong || written[i].text == reference) continue;
    evaluation.wrong.push_back(
        {.confidence = written[i].score,
         .row = {{"where", text_of(data.pairs[i].file, ":", data.pairs[i].line)},
                 {"expected", reference},
                 {"predicted", written[i].text},
                 {"score", written[i].score},
                 {"text", sources[i]}}});
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

std::vector<Answer> TrainedSequenceToSequence::predict(std::span<const Input> asked,
                                                       const PredictionOptions& options) {
  std::vector<std::string> inputs;
  for (const Input& input : asked) inputs.push_back(input.text);
  const auto written = tasks::translate(trained_, inputs, translation_options(options));
  cut_ += tasks::cut_sources(trained_, inputs);
  std::vector<Answer> answers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Answer& answer = answers.emplace_back(Answer{.line = written[i].text});
    std::replace(answer.line.begin(), answer.line.end(), '\n', ' ');
    answer.line = printable(answer.line);
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

// A row of a table may be several lines, so the whole file is read first.
std::optional<std::vector<Input>> TrainedSequenceToSequence::read_inputs(
    data::TextLines& lines, const ReadingOptions& reading, data::DataReport& /*report*/) {
  const auto options = reading_of(reading, data::Labels::kNone);
  const data::FileKind kind = data::kind_of(lines, options, LineReader::Wait::kLine);
  if (kind.format == data::Format::kText) return std::nullopt;
  lines.keep_within(options.limits);
  const auto data = data::read_parallel(lines, kind, options);
  std::vector<Input> inputs;
  for (const data::TextPair& pair : data.pairs) {
    inputs.push_back({.text = pair.source, .where = text_of(data.file, ":", pair.line)});
  }
  return inputs;
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
  const auto longest = static_cast<size_t>(trained_.model->options().transformer.max_length);
  if (read.size() > longest) read.resize(longest);
  const std::vector<int32_t> source = tasks::source_ids(trained_, input);
  const std::vector<int64_t> source_ids(source.begin(), source.end());

  nn::AttentionTrace trace;
  trained_.model->forward({.ids = at::tensor(source_ids, at::kLong).unsqueeze(0)},
                          {.ids = at::tensor(read, at::kLong).unsqueeze(0)}, &trace);
  const auto encoder_layers =
      static_cast<std::ptrdiff_t>(trained_.model->options().transformer.num_layers);
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
