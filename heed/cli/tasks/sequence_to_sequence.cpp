// What an encoder-decoder writes, how close it comes to references, and where it looks.
#include "heed/tasks/generation/sequence_to_sequence.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/token_attention.h"
#include "heed/cli/text_task.h"
#include "heed/inference/generation_fields.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/rouge.h"
#include "heed/models/files/fields_json.h"

namespace heed::cli {
namespace {

constexpr const char* kWrittenAnswers = "Written answers";

// Of what is written token by token.
class BeamOptions {
 public:
  void add_to(Options& options) {
    command_ = &options;
    inference::visit_generation_fields(translation_,
                                       FieldOptions(options, {.group = kWrittenAnswers}));
  }

  void check() const {
    check_usage(translation_.max_new_tokens > 0,
                "max_new_tokens: expected at least 1 token of an answer, got ",
                translation_.max_new_tokens);
  }

  // What was given; the rest as the model is usually used.
  tasks::TranslationOptions of(const models::TrainedEncoderDecoder& trained) const {
    tasks::TranslationOptions chosen = tasks::usual_translation(trained);
    inference::take_generation_fields(chosen, translation_, [&](const nn::Field& field) {
      return command_ != nullptr && is_given(*command_, field);
    });
    return chosen;
  }

 private:
  const Options* command_ = nullptr;
  tasks::TranslationOptions translation_ = {};
};

// How written answers are compared with the references.
struct ComparisonOptions {
  bool lowercase = false;
  bool rouge = false;

  void add_to(Options& options) {
    options
        .flag("--lowercase", lowercase, "Compare written answers with the references in lower case")
        .group(kWrittenAnswers);
    options.flag("--rouge", rouge, "Measure written answers by ROUGE too").group(kWrittenAnswers);
  }
};

struct WritingOptions {
  ReadingOptions reading = {};
  BeamOptions beams = {};
  ComparisonOptions comparison = {};
  SpecialTokensOption special = {};
  bool errors = false;

  void check() const {
    reading.parsed();
    beams.check();
  }
};

class EncoderDecoderAdapter final : public TextTask<TextInput> {
 public:
  EncoderDecoderAdapter(models::TrainedEncoderDecoder trained, WritingOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {
    options_.special.apply_to(trained_.source);
  }

  OrderedJson description() const override;
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override;
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override {
    data::ReadOptions reading;
    reading.known_text_column = models::column_of(trained_.columns, "text");
    reading.known_label_column = models::column_of(trained_.columns, "label");
    return {.inputs = some_texts(files, doctor::DataTask::kPairs, reading)};
  }
  // An rnn gives no gradients of its answers: see attention_of().
  const torch::nn::Module* network() const override {
    return trained_.model->is_recurrent() ? nullptr : trained_.model.get();
  }

 protected:
  data::CharacterEncoding encoding() const override { return options_.reading.parsed().encoding; }
  std::optional<std::vector<TextInput>> read(data::TextLines& lines,
                                             data::DataReport& report) const override;
  TextInput input_of(std::string line) const override { return {.text = std::move(line)}; }
  std::vector<Answer> answer(std::span<const TextInput> inputs,
                             AnswerWriter& answers) const override;
  AttentionView attention_of(const TextInput& asked,
                             const AttentionRequest& request) const override;

 private:
  data::ParallelReadOptions reading_of(data::Labels targets) const;

  models::TrainedEncoderDecoder trained_;
  WritingOptions options_;
};

OrderedJson EncoderDecoderAdapter::description() const {
  return models::with_fields({{"tokenizer", trained_.source->model_type()},
                              {"shared_vocabulary", trained_.source == trained_.target}},
                             trained_.model->options());
}

// With the columns that the model was trained with.
data::ParallelReadOptions EncoderDecoderAdapter::reading_of(data::Labels targets) const {
  const ReadingOptions& reading = options_.reading;
  const data::ReadOptions parsed = reading.parsed();
  return {.format = parsed.format,
          .delimiter = parsed.delimiter,
          .header = parsed.header,
          .targets = targets,
          .encoding = parsed.encoding,
          .source_column = reading.text_column,
          .target_column = reading.label_column,
          .known_source_column = models::column_of(trained_.columns, "text"),
          .known_target_column = models::column_of(trained_.columns, "label"),
          .limits = parsed.limits};
}

TaskEvaluation EncoderDecoderAdapter::evaluate(const std::vector<std::string>& files,
                                               const tasks::Progress& progress) const {
  data::DataReport report;
  const data::ParallelData data =
      data::read_parallel_files(paths_of(files), reading_of(data::Labels::kRequired), report);
  throw_or_warn(report);
  std::vector<std::string> sources;
  for (const data::TextPair& pair : data.pairs) sources.push_back(pair.source);

  const tasks::TranslationOptions translation = options_.beams.of(trained_);
  TaskEvaluation evaluation{.metrics = tasks::target_loss(trained_, data)};
  const auto written = tasks::translate(trained_, sources, translation, progress);
  tasks::CutTexts cut = tasks::cut_texts(trained_, data);
  cut += tasks::cut_translations(trained_, written, translation);
  evaluation.warnings = cut.warnings();
  const auto letters =
      options_.comparison.lowercase ? metrics::LetterCase::kLower : metrics::LetterCase::kKept;
  metrics::Bleu bleu({.letters = letters});
  metrics::Chrf chrf({.letters = letters});
  metrics::Rouge rouge;
  for (size_t i = 0; i < written.size(); ++i) {
    const std::string& reference = data.pairs[i].target;
    bleu.add(written[i].text, reference);
    chrf.add(written[i].text, reference);
    if (options_.comparison.rouge) rouge.add(written[i].text, std::span(&reference, 1));
    if (!options_.errors || written[i].text == reference) continue;
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
  if (options_.comparison.rouge) {
    const metrics::RougeScores mean = rouge.mean();
    evaluation.metrics.emplace_back("rouge1", mean.rouge1.f1);
    evaluation.metrics.emplace_back("rouge2", mean.rouge2.f1);
    evaluation.metrics.emplace_back("rougeL", mean.rouge_l.f1);
    evaluation.metrics.emplace_back("rougeLsum", mean.rouge_lsum.f1);
  }
  evaluation.metrics.emplace_back("examples", static_cast<double>(data.pairs.size()));
  return evaluation;
}

std::vector<Answer> EncoderDecoderAdapter::answer(std::span<const TextInput> asked,
                                                  AnswerWriter& answers) const {
  std::vector<std::string> inputs;
  for (const TextInput& input : asked) inputs.push_back(input.text);
  const tasks::TranslationOptions translation = options_.beams.of(trained_);
  const auto written = tasks::translate(trained_, inputs, translation);
  answers.count_cut(tasks::cut_sources(trained_, inputs));
  answers.count_cut(tasks::cut_translations(trained_, written, translation));
  std::vector<Answer> all;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Answer& answer = all.emplace_back(Answer{.line = written[i].text});
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
  return all;
}

// A row of a table may be several lines, so the whole file is read first.
std::optional<std::vector<TextInput>> EncoderDecoderAdapter::read(
    data::TextLines& lines, data::DataReport& /*report*/) const {
  const auto options = reading_of(data::Labels::kNone);
  const data::FileLayout kind = data::kind_of(lines, options, LineReader::Wait::kLine);
  if (kind.format == data::Format::kText) return std::nullopt;
  lines.keep_within(options.limits);
  const auto data = data::read_parallel(lines, kind, options);
  std::vector<TextInput> inputs;
  for (const data::TextPair& pair : data.pairs) {
    inputs.push_back({.text = pair.source, .where = text_of(data.file, ":", pair.line)});
  }
  return inputs;
}

// Of each token that is read, as the text has it, not as the vocabulary does: "[UNK]" would hide
// the word.
std::vector<std::string> source_names(const models::TrainedEncoderDecoder& trained,
                                      const std::string& input, const std::vector<int32_t>& ids) {
  const text::Encoding encoding =
      trained.source->encode(input, trained.published ? text::Surround::kYes : text::Surround::kNo);
  std::vector<std::string> names;
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool is_text = i < encoding.ids.size() && encoding.ids[i] == ids[i];
    const text::Span span = is_text ? encoding.offsets[i] : text::Span{};
    names.push_back(span.size() > 0 ? input.substr(span.begin, span.size())
                                    : trained.source->token_of(ids[i]));
  }
  return names;
}

// A row of the cross-attention is named after the token that it writes, one of the decoder's own
// after the token that it reads.
std::vector<std::string> target_names(const models::TrainedEncoderDecoder& trained,
                                      const std::string& part,
                                      const std::vector<int64_t>& written) {
  std::vector<std::string> names = pieces_of(trained.target, written);
  const auto token = [&](int64_t id) { return trained.target->token_of(static_cast<int32_t>(id)); };
  if (part == "cross") {
    names.push_back(token(trained.eos_token_ids().front()));
  } else {
    names.insert(names.begin(), token(trained.begin_token_id()));
  }
  return names;
}

AttentionView EncoderDecoderAdapter::attention_of(const TextInput& asked,
                                                  const AttentionRequest& request) const {
  const std::string& input = asked.text;
  const c10::InferenceMode inference(!request.gradients);
  if (trimmed(input).empty()) {
    throw DataError("the text", "expected at least one word, got none");
  }
  const std::string& part = request.part;
  const bool recurrent = trained_.model->is_recurrent();
  check_usage(!recurrent || part == "cross", "--part: an rnn has one attention only, cross; got '",
              part, "'");
  check_usage(!recurrent || trained_.model->options().rnn.attention != "none",
              "the model: expected one with attention, got an rnn whose rnn_attention is none");
  const tasks::Translation written =
      tasks::translate(trained_, {input}, tasks::usual_translation(trained_))[0];
  std::vector<int64_t> read = {trained_.begin_token_id()};
  read.insert(read.end(), written.ids.begin(), written.ids.end());
  const auto longest = static_cast<size_t>(trained_.model->options().transformer.max_length);
  if (read.size() > longest) read.resize(longest);
  const std::vector<int32_t> source = tasks::source_ids(trained_, input);
  const std::vector<int64_t> source_ids(source.begin(), source.end());

  nn::AttentionRecorder recorder;
  const at::Tensor logits =
      trained_.model->forward({.ids = at::tensor(source_ids, at::kLong).unsqueeze(0)},
                              {.ids = at::tensor(read, at::kLong).unsqueeze(0)});
  const auto encoder_layers =
      recurrent ? 0 : static_cast<std::ptrdiff_t>(trained_.model->options().transformer.num_layers);
  using Calls = std::vector<nn::AttendedHeads>;
  const auto middle = recorder.self.begin() + encoder_layers;
  Calls layers = part == "cross"     ? recorder.cross
                 : part == "encoder" ? Calls(recorder.self.begin(), middle)
                                     : Calls(middle, recorder.self.end());

  AttentionView view{.title = written.text,
                     .calls = std::move(layers),
                     .alignment = part == "cross",
                     .details = {{"text", input}, {"output", written.text}}};
  // Of all that was written, and of its end. An rnn looks token by token, which leaves no single
  // output to take a gradient of.
  if (request.gradients && !recurrent) {
    std::vector<int64_t> wanted(read.begin() + 1, read.end());
    wanted.push_back(trained_.eos_token_ids().front());
    view.score = logits[0].log_softmax(-1).gather(1, at::tensor(wanted).unsqueeze(1)).sum();
  }
  const std::vector<std::string> sources = source_names(trained_, input, source);
  std::vector<std::string> targets = target_names(trained_, part, written.ids);
  targets.resize(read.size());
  view.queries = part == "encoder" ? sources : targets;
  view.keys = part == "decoder" ? targets : sources;
  return view;
}

TaskLoader define_sequence_to_sequence(TaskOptions& options, Use use) {
  std::function<WritingOptions()> given = [] { return WritingOptions(); };
  if (use == Use::kEval) {
    given = [&reading = options.use<ReadingOptions>(), &beams = options.use<BeamOptions>(),
             &comparison = options.use<ComparisonOptions>(),
             &errors = options.use<ErrorsOption>()]() -> WritingOptions {
      return {
          .reading = reading, .beams = beams, .comparison = comparison, .errors = errors.wanted()};
    };
  } else if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>(), &beams = options.use<BeamOptions>(),
             &special = options.use<SpecialTokensOption>()]() -> WritingOptions {
      return {.reading = reading, .beams = beams, .special = special};
    };
  }
  return loader_of<EncoderDecoderAdapter>(given, models::load_encoder_decoder);
}

}  // namespace

TaskKind sequence_to_sequence() {
  return {.model_type = "heed_encoder_decoder",
          .name = "seq2seq",
          .define = define_sequence_to_sequence,
          .purpose = models::published::Purpose::kConditionalGeneration,
          .attention_parts = {"cross", "encoder", "decoder"}};
}

}  // namespace heed::cli
