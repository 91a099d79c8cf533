// What a named-entity tagger answers, and how well.
#include "heed/tasks/entity_recognition.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/cli/ner_reading.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/cli/score_json.h"
#include "heed/cli/trained.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/words/word_split.h"
#include "heed/viz/marked_text.h"

namespace heed::cli {
namespace {

// A text and where its words stand in it.
struct SplitText {
  std::string text;
  std::vector<text::Span> spans;

  std::vector<std::string> words() const {
    std::vector<std::string> words;
    for (const text::Span& span : spans) words.push_back(text.substr(span.begin, span.size()));
    return words;
  }
};

SplitText split(const std::string& line) { return {line, text::split_words(line)}; }

// Words that a file has apart, with a blank between them.
SplitText joined(const std::vector<std::string>& words) {
  SplitText joined;
  for (const std::string& word : words) {
    if (!joined.text.empty()) joined.text += ' ';
    const auto begin = static_cast<uint32_t>(joined.text.size());
    joined.text += word;
    joined.spans.push_back({begin, static_cast<uint32_t>(joined.text.size())});
  }
  return joined;
}

class TrainedEntityRecognition final : public Trained {
 public:
  explicit TrainedEntityRecognition(models::TrainedTokenTagger trained)
      : trained_(std::move(trained)) {}

  std::string task() const override { return "ner"; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  std::vector<std::string> evaluation_options() const override {
    std::vector<std::string> names = ReadingOptions::names();
    names.emplace_back("errors");
    return names;
  }
  std::vector<std::string> prediction_options() const override { return ReadingOptions::names(); }
  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<Answer> predict(std::span<const Input> inputs,
                              const PredictionOptions& options) override;
  std::optional<std::vector<Input>> read_inputs(data::TextLines& lines,
                                                const ReadingOptions& reading,
                                                data::DataReport& report) override;
  AttentionView attend(const std::string& input, const std::string& part) override;

 private:
  Answer answer(const SplitText& input, const tasks::TaggedSentence& result, bool color) const;

  std::vector<Evaluation::Wrong> wrong_of(const data::NerData& data) const;

  models::TrainedTokenTagger trained_;
};

OrderedJson TrainedEntityRecognition::description() const {
  const models::TokenTaggerOptions& o = trained_.model->options();
  const models::WordEncoderOptions& w = o.words;
  OrderedJson description = {
      {"types", o.types},
      {"tags", text::name_of(o.scheme)},
      {"output", o.output},
      {"subword_vocab_size", w.subword_vocab_size},
      {"character_vocab_size", w.character_vocab_size},
      {"word_dim", word_dim(w)},
  };
  description.update(described(o.transformer));
  return description;
}

Evaluation TrainedEntityRecognition::evaluate(const EvaluationRequest& request,
                                              const tasks::Progress& progress) {
  data::NerReadOptions reading = ner_reading(request.reading);
  reading.types = trained_.model->options().types;
  data::DataReport report;
  const data::NerData data = data::read_ner(paths_of(request.files), reading, report);
  throw_or_warn(report);
  const tasks::EntityEvaluation result = tasks::evaluate(trained_, data, progress);
  Evaluation evaluation{.metrics = result.metrics, .report = result.counts.report()};
  OrderedJson& types = evaluation.details["types"] = OrderedJson::object();
  const std::vector<metrics::PrecisionRecall> scores = result.counts.per_type();
  for (size_t i = 0; i < scores.size(); ++i) {
    types[result.counts.types()[i]] = json_of(scores[i]);
  }
  evaluation.details["macro"] = json_of(result.counts.macro());
  evaluation.details["weighted"] = json_of(result.counts.weighted());
  if (request.wrong) evaluation.wrong = wrong_of(data);
  return evaluation;
}

// The sentences whose entities are not all right, with the probability of the least sure tag.
std::vector<Evaluation::Wrong> TrainedEntityRecognition::wrong_of(const data::NerData& data) const {
  std::vector<std::vector<std::string>> sentences;
  for (const data::NerSentence& each : data.sentences) sentences.push_back(each.words);
  const auto results = tasks::tag_words(trained_, sentences);
  const auto listed = [](const std::vector<std::string>& words,
                         const std::vector<std::string>& tags) {
    OrderedJson entities = OrderedJson::array();
    for (const text::Entity& entity : text::entities_of(tags)) {
      const auto first = words.begin() + static_cast<std::ptrdiff_t>(entity.begin);
      const auto end = words.begin() + static_cast<std::ptrdiff_t>(entity.end);
      entities.push_back("[" + joined({first, end}).text + "](" + entity.type + ")");
    }
    return entities;
  };
  std::vector<Evaluation::Wrong> wrong;
  for (size_t i = 0; i < results.size(); ++i) {
    const data::NerSentence& sentence = data.sentences[i];
    const OrderedJson expected = listed(sentence.words, sentence.tags);
    const OrderedJson predicted = listed(sentence.words, results[i].tags);
    if (text::entities_of(sentence.tags) == text::entities_of(results[i].tags)) continue;
    const std::vector<double>& each = results[i].probabilities;
    const double confidence = *std::min_element(each.begin(), each.end());
    wrong.push_back({.confidence = confidence,
                     .row = {{"where", text_of(sentence.file, ":", sentence.line)},
                             {"expected", expected},
                             {"predicted", predicted},
                             {"probability", confidence},
                             {"text", joined(sentence.words).text}}});
  }
  return wrong;
}

Answer TrainedEntityRecognition::answer(const SplitText& input, const tasks::TaggedSentence& result,
                                        bool color) const {
  const std::vector<std::string>& types = trained_.model->options().types;
  // Offsets in JSON count characters, as Python and JavaScript (outside of emoji) do.
  const std::string_view text = input.text;
  size_t behind = 0;  // bytes of the entities so far
  int64_t characters = 0;
  OrderedJson entities = OrderedJson::array();
  std::vector<MarkedPart> parts;
  for (const text::Entity& entity : text::entities_of(result.tags)) {
    const auto first = static_cast<size_t>(entity.begin);
    const auto last = static_cast<size_t>(entity.end) - 1;
    const size_t begin = input.spans[first].begin;
    const size_t end = input.spans[last].end;
    const auto kind = std::lower_bound(types.begin(), types.end(), entity.type) - types.begin();
    parts.push_back({begin, end, entity.type, static_cast<size_t>(kind)});
    const int64_t from = characters + text::code_points(text.substr(behind, begin - behind));
    characters = from + text::code_points(text.substr(begin, end - begin));
    behind = end;
    entities.push_back(
        {{"type", entity.type},
         {"text", text.substr(begin, end - begin)},
         {"begin", from},
         {"end", characters},
         {"probability", *std::min_element(result.probabilities.begin() + entity.begin,
                                           result.probabilities.begin() + entity.end)}});
  }
  return {.line = marked_text(input.text, parts, color),
          .json = {{"text", input.text},
                   {"entities", entities},
                   {"tokens", input.words()},
                   {"tags", result.tags}}};
}

std::vector<Answer> TrainedEntityRecognition::predict(std::span<const Input> inputs,
                                                      const PredictionOptions& options) {
  std::vector<SplitText> texts;
  std::vector<std::vector<std::string>> sentences;
  for (const Input& input : inputs) {
    texts.push_back(input.words.empty() ? split(input.text) : joined(input.words));
    sentences.push_back(texts.back().words());
  }
  const auto results = tasks::tag_words(trained_, sentences);
  std::vector<Answer> answers;
  for (size_t i = 0; i < texts.size(); ++i) {
    answers.push_back(answer(texts[i], results[i], options.color));
  }
  return answers;
}

// CoNLL columns and JSON have their words apart; anything else is a text a line.
std::optional<std::vector<Input>> TrainedEntityRecognition::read_inputs(
    data::TextLines& lines, const ReadingOptions& reading, data::DataReport& /*report*/) {
  if (reading.format == "text") return std::nullopt;
  data::NerReadOptions options = ner_reading(reading);
  const data::FileKind kind = lines.kind(options.format, '\0', LineReader::Wait::kLine);
  const bool apart = options.format != data::Format::kAuto || kind.format == data::Format::kConll ||
                     kind.format == data::Format::kJsonl || kind.format == data::Format::kJson;
  if (!apart) return std::nullopt;
  options.format = kind.format;
  options.labels = data::Labels::kNone;
  lines.keep_within(options.limits);
  const data::NerData data = data::read_ner(lines, options);
  std::vector<Input> inputs;
  for (const data::NerSentence& sentence : data.sentences) {
    inputs.push_back({.text = joined(sentence.words).text,
                      .where = text_of(sentence.file, ":", sentence.line),
                      .words = sentence.words});
  }
  return inputs;
}

AttentionView TrainedEntityRecognition::attend(const std::string& input,
                                               const std::string& /*part*/) {
  const SplitText sentence = split(input);
  const std::vector<std::string> words = sentence.words();
  if (words.empty()) throw DataError("the sentence", "expected at least one word, got none");
  const c10::InferenceMode inference;
  const auto longest = static_cast<size_t>(trained_.model->options().transformer.max_length);
  check_usage(words.size() <= longest, "the sentence: expected at most ", longest,
              " words, which the model sees at once, got ", words.size());
  nn::AttentionTrace trace;
  const std::vector<const std::vector<std::string>*> one = {&words};
  trained_.model->forward(trained_.reader().batch(one), &trace);
  const Answer found = answer(sentence, tasks::tag_words(trained_, {&words, 1})[0], false);
  return {.title = found.line,
          .queries = words,
          .keys = words,
          .weights = stacked_layers(trace.weights),
          .details = {{"entities", found.json["entities"]}, {"tags", found.json["tags"]}}};
}

}  // namespace

std::unique_ptr<Trained> load_entity_recognition(const std::filesystem::path& directory) {
  return std::make_unique<TrainedEntityRecognition>(models::load_token_tagger(directory));
}

}  // namespace heed::cli
