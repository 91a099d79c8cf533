// What a named-entity tagger answers, and how well.
#include "heed/base/joined.h"
#include "heed/tasks/text/entity_tagging.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "heed/base/error.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/reading/ner_reading.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/text_task.h"
#include "heed/cli/writing/score_json.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/text/token_entities.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/words/word_split.h"
#include "heed/viz/marked_text.h"

namespace heed::cli {
namespace {

// A text and where its words stand in it.
struct SplitText {
  std::string text;
  std::vector<text::Span> spans;

  std::string where = {};

  std::vector<std::string> words() const {
    std::vector<std::string> words;
    for (const text::Span& span : spans) words.push_back(text.substr(span.begin, span.size()));
    return words;
  }
  OrderedJson columns() const { return {{"text", text}}; }
};

SplitText split(std::string line) {
  std::vector<text::Span> spans = text::split_words(line);
  return {std::move(line), std::move(spans)};
}

// Words that a file has apart, with a blank between them.
SplitText line_of(const std::vector<std::string>& words) {
  SplitText joined;
  for (const std::string& word : words) {
    if (!joined.text.empty()) joined.text += ' ';
    const auto begin = static_cast<uint32_t>(joined.text.size());
    joined.text += word;
    joined.spans.push_back({begin, static_cast<uint32_t>(joined.text.size())});
  }
  return joined;
}

constexpr const char* kByWords = "words";

struct AggregationOption {
  std::string strategy = kByWords;

  void add_to(Options& options) {
    std::vector<std::string> names = {kByWords};
    for (const std::string& name : tasks::aggregation_names()) names.push_back(name);
    options
        .add(
            "--aggregation-strategy", strategy,
            "Of published models that tag tokens: what becomes an entity. words: whole words, each "
            "with the tag of its first piece, by the rules of the tags. The others are those of "
            "transformers' pipeline. none: each piece; simple: pieces of one type together; "
            "first, average, max: whole words, tagged by their first piece, by the mean of the "
            "pieces or by the surest piece")
        .one_of(names);
  }
};

struct EntityOptions {
  ReadingOptions reading = {};
  bool errors = false;
  std::string aggregation = kByWords;

  void check() const { ner_reading(reading); }
};

class TokenTaggerAdapter final : public TextTask<SplitText> {
 public:
  TokenTaggerAdapter(models::TrainedTokenTagger trained, EntityOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {
    if (options_.aggregation != kByWords) {
      pieces_.emplace(trained_, tasks::aggregation_from(options_.aggregation));
    }
  }

  OrderedJson description() const override;
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override;
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override {
    data::ReadOptions columns;
    columns.text_column = models::column_of(trained_.columns, "word");
    return {.inputs = some_texts(files, doctor::DataTask::kNer, columns)};
  }
  const torch::nn::Module* network() const override { return trained_.model.get(); }

 protected:
  data::CharacterEncoding encoding() const override {
    return ner_reading(options_.reading).encoding;
  }
  std::optional<std::vector<SplitText>> read(data::TextLines& lines,
                                             data::DataReport& report) const override;
  SplitText input_of(std::string line) const override { return split(std::move(line)); }
  std::vector<Answer> answer(std::span<const SplitText> inputs,
                             AnswerWriter& answers) const override;
  AttentionView attention_of(const SplitText& sentence,
                             const AttentionRequest& request) const override;

 private:
  Answer answer_of(const SplitText& input, const tasks::TaggedSentence& result, bool color) const;

  // Of the pieces of a text.
  Answer answer_by_pieces(const SplitText& input, bool color) const;

  // What a published model reads of one sentence.
  std::vector<std::string> pieces_of(const models::WordBatch& batch) const;

  std::vector<TaskEvaluation::Wrong> wrong_of(const data::NerData& data) const;

  models::TrainedTokenTagger trained_;
  EntityOptions options_;
  std::optional<tasks::TokenEntities> pieces_;  // none: words are tagged
};

OrderedJson TokenTaggerAdapter::description() const {
  const models::TokenTaggerOptions& options = trained_.model->options();
  return models::with_fields({{"types", options.types}, {"word_dim", word_dim(options.words)}},
                             options);
}

TaskEvaluation TokenTaggerAdapter::evaluate(const std::vector<std::string>& files,
                                            const tasks::Progress& progress) const {
  data::NerReadOptions reading = ner_reading(options_.reading, trained_.columns);
  reading.types = trained_.model->options().types;
  data::DataReport report;
  const data::NerData data = data::read_ner(paths_of(files), reading, report);
  throw_or_warn(report);
  const tasks::EntityEvaluation result = tasks::evaluate(trained_, data, progress);
  TaskEvaluation evaluation{.metrics = result.metrics, .report = result.counts.report()};
  evaluation.warnings = tasks::cut_texts(trained_, tasks::words_of(data)).warnings();
  for (const data::NerSentence& each : data.sentences) evaluation.tokens += std::ssize(each.words);
  OrderedJson& types = evaluation.details["types"] = OrderedJson::object();
  const std::vector<metrics::PrecisionRecall> scores = result.counts.per_type();
  for (size_t i = 0; i < scores.size(); ++i) {
    types[result.counts.types()[i]] = json_of(scores[i]);
  }
  evaluation.details["macro"] = json_of(result.counts.macro());
  evaluation.details["weighted"] = json_of(result.counts.weighted());
  if (options_.errors) evaluation.wrong = wrong_of(data);
  return evaluation;
}

// The sentences whose entities are not all right, with the probability of the least sure tag.
std::vector<TaskEvaluation::Wrong> TokenTaggerAdapter::wrong_of(const data::NerData& data) const {
  const auto results = tasks::tag_words(trained_, tasks::words_of(data));
  const auto listed = [](const std::vector<std::string>& words,
                         const std::vector<std::string>& tags) {
    OrderedJson entities = OrderedJson::array();
    for (const text::Entity& entity : text::entities_of(tags)) {
      const auto first = words.begin() + static_cast<std::ptrdiff_t>(entity.begin);
      const auto end = words.begin() + static_cast<std::ptrdiff_t>(entity.end);
      entities.push_back("[" + line_of({first, end}).text + "](" + entity.type + ")");
    }
    return entities;
  };
  std::vector<TaskEvaluation::Wrong> wrong;
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
                             {"text", line_of(sentence.words).text}}});
  }
  return wrong;
}

Answer TokenTaggerAdapter::answer_of(const SplitText& input, const tasks::TaggedSentence& result,
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
    const int64_t from = characters + code_points(text.substr(behind, begin - behind));
    characters = from + code_points(text.substr(begin, end - begin));
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

Answer TokenTaggerAdapter::answer_by_pieces(const SplitText& input, bool color) const {
  const std::vector<tasks::TokenEntity> found = pieces_->find(input.text);
  const std::string_view text = input.text;
  std::vector<std::string> types;
  for (const tasks::TokenEntity& each : found) types.push_back(each.type);
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  OrderedJson entities = OrderedJson::array();
  std::vector<MarkedPart> parts;
  for (const tasks::TokenEntity& each : found) {
    const size_t begin = each.span.begin;
    const size_t end = each.span.end;
    entities.push_back({{"type", each.type},
                        {"text", text.substr(begin, end - begin)},
                        {"begin", code_points(text.substr(0, begin))},
                        {"end", code_points(text.substr(0, end))},
                        {"probability", each.probability}});
    // Pieces of one character all stand for the whole of it.
    if (begin == end || (!parts.empty() && begin < parts.back().end)) continue;
    const auto kind = std::lower_bound(types.begin(), types.end(), each.type) - types.begin();
    parts.push_back({begin, end, each.type, static_cast<size_t>(kind)});
  }
  return {.line = marked_text(input.text, parts, color),
          .json = {{"text", input.text}, {"entities", entities}}};
}

std::vector<Answer> TokenTaggerAdapter::answer(std::span<const SplitText> inputs,
                                               AnswerWriter& answers) const {
  if (pieces_) {
    std::vector<Answer> found;
    for (const SplitText& input : inputs) {
      found.push_back(answer_by_pieces(input, answers.form().color));
    }
    return found;
  }
  std::vector<std::vector<std::string>> sentences;
  for (const SplitText& input : inputs) sentences.push_back(input.words());
  const auto results = tasks::tag_words(trained_, sentences);
  answers.count_cut(tasks::cut_texts(trained_, sentences));
  std::vector<Answer> found;
  for (size_t i = 0; i < inputs.size(); ++i) {
    found.push_back(answer_of(inputs[i], results[i], answers.form().color));
  }
  return found;
}

// CoNLL columns and JSON have their words apart; anything else is a text a line.
std::optional<std::vector<SplitText>> TokenTaggerAdapter::read(data::TextLines& lines,
                                                               data::DataReport& /*report*/) const {
  if (options_.reading.format == "text") return std::nullopt;
  data::NerReadOptions options = ner_reading(options_.reading, trained_.columns);
  const data::FileLayout kind = lines.kind(options.format, '\0', LineReader::Wait::kLine);
  const bool apart = options.format != data::Format::kAuto || kind.format == data::Format::kConll ||
                     kind.format == data::Format::kJsonl || kind.format == data::Format::kJson;
  if (!apart) return std::nullopt;
  options.format = kind.format;
  options.labels = data::Labels::kNone;
  lines.keep_within(options.limits);
  const data::NerData data = data::read_ner(lines, options);
  std::vector<SplitText> inputs;
  for (const data::NerSentence& sentence : data.sentences) {
    inputs.push_back(line_of(sentence.words));
    inputs.back().where = text_of(sentence.file, ":", sentence.line);
  }
  return inputs;
}

std::vector<std::string> TokenTaggerAdapter::pieces_of(const models::WordBatch& batch) const {
  const at::Tensor ids = batch.pieces.ids[0].contiguous();
  std::vector<std::string> pieces;
  for (int64_t i = 0; i < ids.numel(); ++i) {
    const int64_t id = ids.const_data_ptr<int64_t>()[i];
    pieces.push_back(trained_.tokenizer->token_of(static_cast<int32_t>(id)));
  }
  return pieces;
}

AttentionView TokenTaggerAdapter::attention_of(const SplitText& sentence,
                                               const AttentionRequest& request) const {
  const std::vector<std::string> words = sentence.words();
  if (words.empty()) throw DataError("the sentence", "expected at least one word, got none");
  const c10::InferenceMode inference(!request.gradients);
  const auto longest = static_cast<size_t>(trained_.model->options().transformer.max_length);
  check_usage(words.size() <= longest, "the sentence: expected at most ", longest,
              " words, which the model sees at once, got ", words.size());
  const Answer found = answer_of(sentence, tasks::tag_words(trained_, {&words, 1})[0], false);
  nn::AttentionRecorder recorder;
  const std::vector<const std::vector<std::string>*> one = {&words};
  const models::WordBatch batch = trained_.reader().batch(one);
  const at::Tensor emissions = trained_.model->forward(batch);
  const std::vector<std::string> read = trained_.published ? pieces_of(batch) : words;
  return {.title = found.line,
          .queries = read,
          .keys = read,
          .calls = std::move(recorder.self),
          .score = request.gradients ? std::get<0>(emissions.max(-1)).sum() : at::Tensor(),
          .details = {{"entities", found.json["entities"]}, {"tags", found.json["tags"]}}};
}

TaskLoader define_entity_recognition(TaskOptions& options, Use use) {
  std::function<EntityOptions()> given = [] { return EntityOptions(); };
  if (use == Use::kEval) {
    given = [&reading = options.use<ReadingOptions>(),
             &errors = options.use<ErrorsOption>()]() -> EntityOptions {
      return {.reading = reading, .errors = errors.wanted()};
    };
  } else if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>(),
             &aggregation = options.use<AggregationOption>()]() -> EntityOptions {
      return {.reading = reading, .aggregation = aggregation.strategy};
    };
  }
  return loader_of<TokenTaggerAdapter>(given, models::load_token_tagger);
}

}  // namespace

TaskKind entity_recognition() {
  return {.model_type = "heed_token_tagger",
          .name = "ner",
          .define = define_entity_recognition,
          .purpose = models::published::Purpose::kTokenClassification};
}

}  // namespace heed::cli
