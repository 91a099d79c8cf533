#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/from_model.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/cli/reading/ner_reading.h"
#include "heed/models/published/task_networks.h"
#include "heed/tasks/text/entity_recognition.h"
#include "heed/text/words/entity_tags.h"
#include "heed/viz/marked_text.h"

namespace heed::cli {
namespace {

struct TrainNerSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  FromModel from;
  ReadingOptions reading;
  tasks::EntityRecognitionOptions task{
      .model = {.words = {.character_dim = 64},
                .transformer = {.d_model = 128,
                                .num_heads = 4,
                                .num_layers = 1,
                                .max_length = 256,
                                .attention = {.positions = "relative",
                                              .max_relative_positions = 24},
                                .init = "xavier_uniform",
                                .dropout = 0.3,
                                .attention_dropout = 0.2,
                                .embedding_dropout = 0.5}},
      .word_dropout = 0.3,
      .margin = 2};
  TrainingSettings training{
      training::TrainingOptions{.epochs = 12, .batch_size = 16, .lr = 1.5e-3, .ema_decay = 0.99}};
};

struct Sentences {
  data::NerData train;
  data::NerData valid;
};

Sentences read_data(const TrainNerSettings& settings) {
  data::NerReadOptions options = ner_reading(settings.reading);
  data::DataReport report;
  Sentences sentences;
  sentences.train = data::read_ner(paths_of(settings.train), options, report);
  options.types = sentences.train.types;
  sentences.valid = settings.valid.empty()
                        ? data::take_validation(sentences.train, settings.valid_share,
                                                settings.training.options.seed, report)
                        : data::read_ner(paths_of(settings.valid), options, report);
  throw_or_warn(report);
  std::cerr << "heed: " << sentences.train.sentences.size() << " training and "
            << sentences.valid.sentences.size() << " validation sentences, "
            << sentences.train.types.size() << " types of entities\n";
  return sentences;
}

// The published model with a head for the types of the data, where it has not just these.
tasks::EntityRecognition published_task(const TrainNerSettings& settings,
                                        const Sentences& sentences) {
  using models::published::Purpose;
  const std::string& directory = settings.from.directory();
  models::HeadRequest request{
      .purpose = Purpose::kTokenClassification,
      .labels = text::all_tags(sentences.train.types, text::TagScheme::kBio)};
  const bool tags = models::published::purpose_in(directory) == Purpose::kTokenClassification;
  if (tags && models::published::tag_labels(models::published::labels_in(directory)).types ==
                  sentences.train.types) {
    request.labels = {};
  }
  const models::PublishedFiles files = settings.from.open(request);
  tasks::EntityRecognitionOptions options = settings.task;
  if (!settings.from.is_given("margin")) options.margin = 0;
  options.word_dropout = 0;
  return {sentences.train, sentences.valid, options, models::as_token_tagger(files)};
}

tasks::EntityRecognition fresh_task(const TrainNerSettings& settings, const Sentences& sentences) {
  tasks::EntityRecognitionOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  options.model.words.character_score = options.model.transformer.attention.score;
  return {sentences.train, sentences.valid, options};
}

// Throws for sizes that cannot be used, whatever the data holds.
void check_before_data(const models::TokenTaggerOptions& options) {
  models::WordEncoderOptions words = options.words;
  words.subword_vocab_size = std::max<int64_t>(words.subword_vocab_size, 1);
  words.character_vocab_size = 1;  // of padding
  check(words);
}

// With its entities marked as those that are found.
HeldOutExample shown_sentence(const data::NerSentence& sentence) {
  std::string text;
  std::vector<std::pair<size_t, size_t>> words;  // where they begin and end
  for (const std::string& word : sentence.words) {
    if (!text.empty()) text += ' ';
    words.emplace_back(text.size(), text.size() + word.size());
    text += word;
  }
  std::vector<MarkedPart> parts;
  for (const text::Entity& entity : text::entities_of(sentence.tags)) {
    parts.push_back({.begin = words[static_cast<size_t>(entity.begin)].first,
                     .end = words[static_cast<size_t>(entity.end) - 1].second,
                     .label = entity.type});
  }
  return {.input = text, .about = {.right = marked_text(text, parts, false)}};
}

void run_train_ner(TrainNerSettings& settings) {
  settings.from.prepare({"margin", "class-weight"}, settings.training);
  settings.training.prepare();
  resolved(settings.task.model.transformer);
  if (!settings.from.wanted()) check_before_data(settings.task.model);
  const Sentences sentences = read_data(settings);
  tasks::EntityRecognition task = settings.from.wanted() ? published_task(settings, sentences)
                                                         : fresh_task(settings, sentences);
  warn(task.cut().warnings());

  settings.training.train(task, held_out(sentences.valid.sentences, shown_sentence));
}

void define_train_ner(Options& options, TrainNerSettings& s) {
  add_example_files(options, {.train = s.train, .valid = s.valid, .valid_share = s.valid_share},
                    "Sentences, as CoNLL columns or JSON,");
  s.from.add_to(options);
  s.reading.add_to(options);
  visit_fields(s.task, FieldOptions(options));
  add_model_options(options, s.task.model,
                    {.help = {{"max_length",
                               "Words that the model sees at once; a longer sentence is read in "
                               "parts"}}});
  s.training.add_to(options, tasks::EntityRecognition::watchable());
}

}  // namespace

Command train_ner_command() {
  return {
      .path = "train ner",
      .summary = "Train a named-entity tagger",
      .examples =
          "  heed train ner --train train.conll --valid dev.conll --out model\n"
          "  heed train ner --from bert-base-cased --train train.conll --valid dev.conll --out "
          "model\n"
          "  heed train ner --train a.jsonl.gz --valid b.jsonl.gz --out model --tag-scheme bio "
          "--output softmax\n"
          "  heed train ner --train train.conll --valid dev.conll --out model --positions rotary "
          "--pattern window:8:8\n",
      .define = with_settings(define_train_ner, run_train_ner),
  };
}

}  // namespace heed::cli
