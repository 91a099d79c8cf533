#include "heed/tasks/entity_recognition.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "heed/base/error.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/batches.h"
#include "heed/tasks/sources.h"
#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::tasks {

// Sentences whose tags are known, as the model reads them.
struct TaggedParts {
  // A sentence, or a part of one that has more words than the model reads at once.
  struct Part {
    size_t sentence;
    size_t begin;  // of its words in the sentence
    std::vector<std::string> words;
  };

  std::vector<Part> parts;
  std::vector<std::vector<int32_t>> tags;  // of each part, rows of TokenTagger::tags()
};

namespace {

using Part = TaggedParts::Part;

std::shared_ptr<const text::Tokenizer> learnt_subwords(const data::NerData& data, int64_t size) {
  text::BpeBuilder builder({.vocab_size = static_cast<int32_t>(size),
                            .normalizers = {"NFC", "Lowercase"},
                            .pre_tokenizers = {"WhitespaceSplit"}});
  for (const data::NerSentence& sentence : data.sentences) {
    for (const std::string& word : sentence.words) builder.add(word);
  }
  return std::make_shared<const text::Tokenizer>(builder.build());
}

std::shared_ptr<const text::Tokenizer> learnt_characters(const data::NerData& data,
                                                         int64_t min_frequency) {
  text::WordLevelOptions options = text::character_options();
  options.min_frequency = min_frequency;
  text::WordLevelBuilder builder(options);
  for (const data::NerSentence& sentence : data.sentences) {
    for (const std::string& word : sentence.words) builder.add(word);
  }
  return std::make_shared<const text::Tokenizer>(builder.build());
}

const EntityRecognitionOptions& checked(const EntityRecognitionOptions& options) {
  visit_fields(options, nn::FieldCheck());
  return options;
}

models::TrainedTokenTagger untrained(const data::NerData& data,
                                     const EntityRecognitionOptions& options) {
  if (data.types.empty()) {
    throw DataError(data.file, "expected sentences with entities, found none in them");
  }
  models::TrainedTokenTagger made;
  made.tokenizer = learnt_subwords(data, options.subword_vocab_size);
  made.characters = learnt_characters(data, options.min_frequency);
  models::TokenTaggerOptions model = options.model;
  model.types = data.types;
  model.words.subword_vocab_size = made.tokenizer->size();
  model.words.subword_pad_token_id = made.tokenizer->padding_id().value();
  model.words.character_vocab_size = made.characters->size();
  model.words.character_pad_token_id = made.characters->padding_id().value();
  const auto tags = std::ssize(text::all_tags(model.types, model.scheme));
  check_classes_fit(text_of(model.types.size(), " types of entities"),
                    tags * (tags + model.transformer.d_model));
  made.model = std::make_shared<models::TokenTagger>(model);
  return made;
}

void add_parts(const std::vector<std::string>& words, size_t sentence, int64_t longest,
               std::vector<Part>& parts) {
  const auto most = static_cast<size_t>(longest);
  const size_t count = (words.size() + most - 1) / most;
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * words.size() / count;
    const size_t end = (i + 1) * words.size() / count;
    parts.push_back({.sentence = sentence,
                     .begin = begin,
                     .words = {words.begin() + static_cast<std::ptrdiff_t>(begin),
                               words.begin() + static_cast<std::ptrdiff_t>(end)}});
  }
}

// Rows of the model's tags for the words of a part. An entity that goes on beyond it ends with it.
class Targets {
 public:
  explicit Targets(const models::TokenTagger& model) : scheme_(model.options().scheme) {
    for (const std::string& tag : model.tags())
      rows_.emplace(tag, static_cast<int32_t>(rows_.size()));
  }

  std::vector<int32_t> of(const Part& part, const std::vector<std::string>& sentence_tags,
                          const std::string& file) const {
    const auto first = static_cast<int64_t>(part.begin);
    const auto count = std::ssize(part.words);
    std::vector<text::Entity> inside;
    for (const text::Entity& entity : text::entities_of(sentence_tags)) {
      const int64_t begin = std::max<int64_t>(entity.begin - first, 0);
      const int64_t end = std::min(entity.end - first, count);
      if (begin < end) inside.push_back({.type = entity.type, .begin = begin, .end = end});
    }
    std::vector<int32_t> rows;
    for (const std::string& tag : text::tags_of(inside, count, scheme_)) {
      const auto row = rows_.find(tag);
      if (row == rows_.end()) {
        throw DataError(
            file, text_of("expected entities of the types that were trained, found '", tag, "'"));
      }
      rows.push_back(row->second);
    }
    return rows;
  }

 private:
  text::TagScheme scheme_;
  std::map<std::string, int32_t> rows_;
};

TaggedParts tagged_parts(const models::TokenTagger& model, const data::NerData& data) {
  const Targets targets(model);
  TaggedParts made;
  for (size_t i = 0; i < data.sentences.size(); ++i) {
    add_parts(data.sentences[i].words, i, model.options().transformer.max_length, made.parts);
  }
  for (const Part& part : made.parts) {
    made.tags.push_back(targets.of(part, data.sentences[part.sentence].tags, data.file));
  }
  return made;
}

struct TaggingBatch final : Batch {
  using Batch::Batch;
  models::WordBatch words;
  at::Tensor targets;  // (B, N) int64
  at::Tensor weights;  // (B, N) float32, 0 behind a sentence; undefined: all are one
  int64_t tokens = 0;
};

// Some words lose their subwords, the same wherever they stand in the batch, so that the model
// learns to tag a word that it does not know by its characters and its place.
//                                                                  Iyyer et al. 2015, section 4.2
at::Tensor with_words_hidden(const models::TextBatch& subwords, double share,
                             const text::Tokenizer& tokenizer) {
  const at::Tensor hidden = at::rand({subwords.ids.size(0), 1}) < share;
  const at::Tensor real = at::arange(subwords.ids.size(1)) < subwords.lengths.unsqueeze(1);
  return subwords.ids.masked_fill(hidden.logical_and(real), tokenizer.unknown_id().value());
}

// Scores of all parts, a batch of similar length at a time.
using OnScores = std::function<void(const std::vector<int64_t>& parts, const at::Tensor& scores,
                                    const at::Tensor& lengths)>;
void score(const models::TokenTagger& model, const models::WordReader& reader,
           const std::vector<Part>& parts, const Progress& progress, const OnScores& on_scores) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(model);
  std::vector<int64_t> lengths;
  for (const Part& part : parts) lengths.push_back(std::ssize(part.words));
  for_each_batch(lengths, kEvaluationBatch, progress, [&](const std::vector<int64_t>& numbers) {
    std::vector<const std::vector<std::string>*> words;
    for (const int64_t i : numbers) words.push_back(&parts[static_cast<size_t>(i)].words);
    const models::WordBatch batch = reader.batch(words).to(device);
    on_scores(numbers, model.forward(batch), batch.lengths);
  });
}

// The tags of a batch, rows of model.tags(), as texts at their places in the sentences.
using BestTags = std::vector<std::vector<int64_t>>;
void write_tags(const models::TokenTagger& model, const std::vector<const Part*>& parts,
                const BestTags& best, std::vector<TaggedSentence>& answers) {
  for (size_t b = 0; b < parts.size(); ++b) {
    for (size_t t = 0; t < best[b].size(); ++t) {
      answers[parts[b]->sentence].tags[parts[b]->begin + t] =
          model.tags()[static_cast<size_t>(best[b][t])];
    }
  }
}

// probabilities: (B, N, K) of all tags.
void write_probabilities(const at::Tensor& probabilities, const std::vector<const Part*>& parts,
                         const BestTags& best, std::vector<TaggedSentence>& answers) {
  const auto all = probabilities.accessor<double, 3>();
  for (size_t b = 0; b < parts.size(); ++b) {
    for (size_t t = 0; t < best[b].size(); ++t) {
      answers[parts[b]->sentence].probabilities[parts[b]->begin + t] =
          all[static_cast<int64_t>(b)][static_cast<int64_t>(t)][best[b][t]];
    }
  }
}

std::vector<TaggedSentence> empty_answers(const std::vector<Part>& parts, size_t sentences) {
  std::vector<TaggedSentence> answers(sentences);
  for (const Part& part : parts) {
    TaggedSentence& answer = answers[part.sentence];
    answer.tags.resize(part.begin + part.words.size());
    answer.probabilities.resize(answer.tags.size());
  }
  return answers;
}

EntityEvaluation evaluate_parts(const models::TokenTagger& model, const models::WordReader& reader,
                                const TaggedParts& tagged, const data::NerData& data,
                                const Progress& progress) {
  check_usage(!data.sentences.empty(), data.file, ": expected at least one sentence, got none");
  std::vector<TaggedSentence> answers = empty_answers(tagged.parts, data.sentences.size());
  double loss = 0;
  int64_t words = 0;
  score(model, reader, tagged.parts, progress,
        [&](const std::vector<int64_t>& numbers, const at::Tensor& scores,
            const at::Tensor& lengths) {
          const models::IdRows rows = chosen(tagged.tags, numbers);
          for (const auto* row : rows) words += std::ssize(*row);
          const at::Tensor wanted = models::padded_ids(rows, 0).to(scores.device());
          loss += model.loss(scores, lengths, wanted).sum().item<double>();
          write_tags(model, chosen(tagged.parts, numbers), model.best(scores, lengths), answers);
        });

  EntityEvaluation result;
  for (size_t i = 0; i < answers.size(); ++i) {
    result.counts.add(data.sentences[i].tags, answers[i].tags);
  }
  const metrics::PrecisionRecall micro = result.counts.micro();
  result.metrics = {{"loss", loss / static_cast<double>(words)},
                    {"f1", micro.f1},
                    {"precision", micro.precision},
                    {"recall", micro.recall},
                    {"examples", static_cast<double>(answers.size())}};
  return result;
}

}  // namespace

EntityRecognition::EntityRecognition(const data::NerData& train, const data::NerData& valid,
                                     const EntityRecognitionOptions& options)
    : EntityRecognition(train, valid, checked(options), untrained(train, options)) {}

EntityRecognition::EntityRecognition(const data::NerData& train, const data::NerData& valid,
                                     const EntityRecognitionOptions& options,
                                     models::TrainedTokenTagger trained)
    : options_(checked(options)),
      trained_(std::move(trained)),
      reader_(trained_.reader()),
      train_(std::make_shared<const TaggedParts>(tagged_parts(*trained_.model, train))),
      valid_(valid),
      valid_parts_(std::make_shared<const TaggedParts>(tagged_parts(*trained_.model, valid))) {
  if (train.word_column) trained_.columns = {{"word", std::to_string(*train.word_column)}};
  for (const Part& part : train_->parts) lengths_.push_back(std::ssize(part.words));
  weigh_tags();
  cut_ += cut_texts(trained_, words_of(train));
  cut_ += cut_texts(trained_, words_of(valid));
}

// The tags of one type (B-loc, I-loc, …) are one class, "O" is another.
void EntityRecognition::weigh_tags() {
  const std::vector<std::string>& tags = trained_.model->tags();
  const std::vector<std::string>& types = trained_.model->options().types;
  std::vector<int64_t> classes;
  for (const std::string& tag : tags) {
    const size_t dash = tag.find('-');
    const auto type = std::lower_bound(types.begin(), types.end(), tag.substr(dash + 1));
    classes.push_back(dash == std::string::npos ? 0 : type - types.begin() + 1);
  }
  std::vector<int64_t> counts(types.size() + 1, 0);
  for (const auto& sentence : train_->tags) {
    for (const int32_t tag : sentence) {
      ++counts[static_cast<size_t>(classes[static_cast<size_t>(tag)])];
    }
  }
  const at::Tensor weights = class_weights(options_.class_weight, counts);
  if (weights.defined()) tag_weights_ = weights.index_select(0, at::tensor(classes, at::kLong));
}

std::vector<Source> EntityRecognition::sources() const {
  std::vector<Source> all = {
      source_of("training data",
                [&](Checksum& sum) {
                  for (size_t i = 0; i < train_->parts.size(); ++i) {
                    sum.add(train_->parts[i].words);
                    sum.add(train_->tags[i]);
                  }
                }),
      source_of("validation data",
                [&](Checksum& sum) {
                  for (const data::NerSentence& sentence : valid_.sentences) {
                    sum.add(sentence.words);
                    sum.add(sentence.tags);
                  }
                }),
      source_of("types of entities",
                [&](Checksum& sum) { sum.add(trained_.model->options().types); }),
      source_of("tokenizer", *trained_.tokenizer)};
  if (trained_.characters) all.push_back(source_of("characters", *trained_.characters));
  return all;
}

std::unique_ptr<Batch> EntityRecognition::prepare(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<TaggingBatch>(std::move(examples));
  std::vector<const std::vector<std::string>*> words;
  models::IdRows tags;
  for (const int64_t number : batch->examples) {
    const auto i = static_cast<size_t>(number);
    words.push_back(&train_->parts[i].words);
    tags.push_back(&train_->tags[i]);
    batch->tokens += lengths_[i];
  }
  batch->words = reader_.batch(words);
  batch->targets = models::padded_ids(tags, 0);
  if (tag_weights_.defined()) {
    const at::Tensor real =
        at::arange(batch->targets.size(1)).unsqueeze(0) < batch->words.lengths.unsqueeze(1);
    batch->weights =
        tag_weights_.index_select(0, batch->targets.flatten()).view_as(batch->targets) * real;
  }
  return batch;
}

Loss EntityRecognition::loss(const Batch& batch) {
  const auto& tagging = static_cast<const TaggingBatch&>(batch);
  models::WordBatch words = tagging.words;
  if (options_.word_dropout > 0) {
    words.subwords.ids =
        with_words_hidden(words.subwords, options_.word_dropout, *trained_.tokenizer);
  }
  const at::Device device = device_of(*trained_.model);
  words = words.to(device);
  const at::Tensor& weights = tagging.weights;
  const at::Tensor losses = trained_.model->loss(
      trained_.model->forward(words), words.lengths, tagging.targets.to(device),
      {.margin = options_.margin, .weights = weights.defined() ? weights.to(device) : weights});
  const double count =
      weights.defined() ? weights.sum().item<double>() : static_cast<double>(tagging.tokens);
  return {.value = losses.sum() / count, .tokens = tagging.tokens, .weight = count};
}

Metrics EntityRecognition::validate(const Progress& progress) {
  return evaluate_parts(*trained_.model, reader_, *valid_parts_, valid_, progress).metrics;
}

void EntityRecognition::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

CutTexts cut_texts(const models::TrainedTokenTagger& trained,
                   std::span<const std::vector<std::string>> sentences) {
  const models::WordReader reader = trained.reader();
  const int64_t longest = trained.model->options().transformer.max_length;
  CutCount parts{.what = "sentences",
                 .all = std::ssize(sentences),
                 .limit = text_of(longest, " words (--max-length)"),
                 .outcome = "are read in parts"};
  CutCount words{.what = "words",
                 .limit = text_of(reader.limits().characters, " characters (--max-word-length) or ",
                                  reader.limits().subwords, " subwords"),
                 .outcome = "are not read whole"};
  for (const std::vector<std::string>& sentence : sentences) {
    parts.cut += std::ssize(sentence) > longest ? 1 : 0;
    words.all += std::ssize(sentence);
    for (const std::string& word : sentence) words.cut += reader.is_cut(word) ? 1 : 0;
  }
  return CutTexts({parts, words});
}

std::vector<std::vector<std::string>> words_of(const data::NerData& data) {
  std::vector<std::vector<std::string>> sentences;
  for (const data::NerSentence& each : data.sentences) sentences.push_back(each.words);
  return sentences;
}

std::vector<TaggedSentence> tag_words(const models::TrainedTokenTagger& trained,
                                      std::span<const std::vector<std::string>> sentences,
                                      const Progress& progress) {
  std::vector<Part> parts;
  for (size_t i = 0; i < sentences.size(); ++i) {
    add_parts(sentences[i], i, trained.model->options().transformer.max_length, parts);
  }
  std::vector<TaggedSentence> answers = empty_answers(parts, sentences.size());
  score(*trained.model, trained.reader(), parts, progress,
        [&](const std::vector<int64_t>& numbers, const at::Tensor& scores,
            const at::Tensor& lengths) {
          const std::vector<const Part*> some = chosen(parts, numbers);
          const BestTags best = trained.model->best(scores, lengths);
          write_tags(*trained.model, some, best, answers);
          write_probabilities(trained.model->probabilities(scores, lengths), some, best, answers);
        });
  return answers;
}

EntityEvaluation evaluate(const models::TrainedTokenTagger& trained, const data::NerData& data,
                          const Progress& progress) {
  return evaluate_parts(*trained.model, trained.reader(), tagged_parts(*trained.model, data), data,
                        progress);
}

}  // namespace heed::tasks
