#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/from_model.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/data/texts/question_split.h"
#include "heed/tasks/text/question_units.h"
#include "heed/tasks/text/span_questions.h"
#include "heed/tasks/text/story_questions.h"

namespace heed::cli {
namespace {

constexpr int64_t kSentences = 128;  // that a model reads at once, the question among them
constexpr int64_t kWords = 384;
// Facts of a story follow from each other, which one layer, gone through again and again, learns
// from fewer examples; the words of a text need layers of their own.
constexpr int64_t kStoryHops = 4, kStoryLayers = 1;
constexpr int64_t kTextHops = 1, kTextLayers = 4;

struct TrainQaSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  std::string format = "auto";
  ReadingOptions limits;  // of reading
  FromModel from;
  tasks::StoryQuestionsOptions task{.model = {.num_hops = 0,
                                              .transformer = {.d_model = 64,
                                                              .num_heads = 4,
                                                              .num_layers = 0,
                                                              .max_length = 0,
                                                              .attention = {.positions = "learned"},
                                                              .activation = "relu",
                                                              .norm_first = false,
                                                              .init = "xavier_uniform",
                                                              .attention_dropout = 0,
                                                              .embedding_dropout = 0}}};
  models::SpanReading reading;
  TrainingSettings training{
      training::TrainingOptions{.epochs = 30,
                                .batch_size = 64,
                                .lr = 2e-3,
                                .warmup_ratio = 0.05,
                                .patience = 30,  // answers come in leaps, after long levels
                                .optimizer = {.weight_decay = 0, .beta2 = 0.98}}};

  bool spans() const {
    if (format != "auto") return format == "squad";
    return data::are_spans(train.front());
  }

  data::QuestionFiles files() const {
    return {.train = {train.begin(), train.end()},
            .valid = {valid.begin(), valid.end()},
            .valid_share = valid_share,
            .seed = training.options.seed,
            .limits = limits.limits()};
  }

  models::QuestionAnswererOptions resolved() const {
    models::QuestionAnswererOptions options = task.model;
    const bool texts = spans();
    if (texts) options.units = "words";
    if (options.num_hops == 0) options.num_hops = texts ? kTextHops : kStoryHops;
    int64_t& layers = options.transformer.num_layers;
    if (layers == 0) layers = texts ? kTextLayers : kStoryLayers;
    options.transformer = cli::resolved(options.transformer);
    if (options.transformer.max_length == 0) {
      options.transformer.max_length = options.units == "words" ? kWords : kSentences;
    }
    return options;
  }
};

void say_counts(size_t train, size_t valid) {
  std::cerr << "heed: " << train << " training and " << valid << " validation questions\n";
}

size_t questions_of(const std::vector<data::StoryData>& files) {
  size_t count = 0;
  for (const data::StoryData& each : files) count += each.questions.size();
  return count;
}

// What `heed attend` takes: the text, a tab, the question. "" where the text has tabs itself.
std::string question_text(std::string text, const std::string& question) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.find('\t') == std::string::npos ? text + '\t' + question : "";
}

HeldOutExample shown_question(const data::StoryQuestion& each) {
  return {.input = question_text(joined(each.story, " "), each.question),
          .about = {.right = each.answer}};
}

HeldOutExample shown_question(const data::SpanData& data, const data::SpanQuestion& each) {
  return {.input = question_text(data.contexts[each.context], each.question),
          .about = {.right = each.answers.empty() ? "no answer" : each.answers.front().text}};
}

void train_on_stories(const TrainQaSettings& settings) {
  data::DataReport report;
  const data::StoryTrainingData data = data::read_story_training(settings.files(), report);
  throw_or_warn(report);
  say_counts(questions_of(data.train), questions_of(data.valid));
  tasks::StoryQuestionsOptions options = settings.task;
  options.model = settings.resolved();
  tasks::StoryQuestions task(data, options, progress_bar("learning merges"));
  warn(task.cut().warnings());
  std::vector<const data::StoryQuestion*> questions;
  for (const data::StoryData& file : data.valid) {
    for (const data::StoryQuestion& each : file.questions) questions.push_back(&each);
  }
  settings.training.train(task, held_out(questions, [](const data::StoryQuestion* each) {
                            return shown_question(*each);
                          }));
}

tasks::SpanQuestions span_task(const TrainQaSettings& settings,
                               const data::SpanTrainingData& data) {
  if (settings.from.wanted()) {
    const models::HeadRequest request{
        .purpose = models::published::Purpose::kQuestionAnswering,
        .max_length =
            settings.from.given_or_0("max-length", settings.task.model.transformer.max_length)};
    return {data, settings.reading, models::as_question_answerer(settings.from.open(request))};
  }
  return {data,
          {.model = settings.resolved(),
           .tokenizer = settings.task.tokenizer,
           .reading = settings.reading},
          progress_bar("learning merges")};
}

void train_on_spans(const TrainQaSettings& settings) {
  data::DataReport report;
  const data::SpanTrainingData data = data::read_span_training(settings.files(), report);
  throw_or_warn(report);
  say_counts(data.train.questions.size(), data.valid.questions.size());
  tasks::SpanQuestions task = span_task(settings, data);
  warn(task.cut().warnings());
  settings.training.train(task, held_out(data.valid.questions, [&](const auto& each) {
                            return shown_question(data.valid, each);
                          }));
}

void run_train_qa(TrainQaSettings& settings) {
  settings.from.prepare({"max-length"}, settings.training);
  settings.training.prepare();
  if (!settings.from.wanted()) {  // throws for what cannot be used, before the data is read
    settings.resolved();
    tasks::question_tokenizer(settings.task.tokenizer, {});
  }
  check_usage(!settings.from.wanted() || settings.spans(),
              "--from: expected questions whose answers are spans of a text (--format squad)");
  if (settings.spans()) {
    check_usage(settings.task.class_weight == "none",
                "--class-weight: has no meaning where answers are spans of a text: they are no "
                "classes");
    check_usage(settings.training.options.metric_for_best_model != "loss",
                "--metric-for-best-model: loss is not measured where answers are spans of a text; "
                "expected exact_match or f1");
    train_on_spans(settings);
  } else {
    train_on_stories(settings);
  }
}

void add_data_options(Options& options, TrainQaSettings& s) {
  options.add("--train", s.train, "Questions to learn from, plain or gzip").required().repeats();
  options.add("--valid", s.valid, "Questions to validate on").repeats();
  options
      .add("--valid-share", s.valid_share,
           "Without --valid: this share of the stories or texts, drawn by --seed, the same of each "
           "answer")
      .range(0.001, 0.999);
  options
      .add("--format", s.format,
           "babi: stories, answers are classes; squad: JSON, answers are spans of the text; "
           "auto: by what the first file holds")
      .one_of({"auto", "babi", "squad"});
  s.from.add_to(options);
  s.limits.add_max_bytes(options);
  s.limits.add_max_classes(options, "Answers to stories that there may be");
}

void define_train_qa(Options& options, TrainQaSettings& s) {
  add_data_options(options, s);
  add_model_options(
      options, s.task.model,
      {.help = {{"max_length", "Units that the model reads at once"}},
       .zero = {
           {"max_length", text_of(kSentences, " sentences or ", kWords, " words")},
           {"num_hops", text_of(kStoryHops, " for stories, ", kTextHops, " for texts")},
           {"num_layers", text_of(kStoryLayers, " for stories, ", kTextLayers, " for texts")}}});
  visit_fields(s.task, FieldOptions(options));
  visit_fields(s.reading, FieldOptions(options));
  s.training.add_to(options, tasks::StoryQuestions::watchable());
}

}  // namespace

Command train_qa_command() {
  return {
      .path = "train qa",
      .summary = "Train a model that answers questions about a story or a text",
      .examples =
          "  heed train qa --train qa1_train.txt qa2_train.txt --out model\n"
          "  heed train qa --train train.json --valid dev.json --out model "
          "--d-model 128\n"
          "  heed train qa --train qa1_train.txt --out model --score additive --pattern causal\n"
          "  heed train qa --from bert-base-uncased --train train.json --valid dev.json --out "
          "model\n",
      .define = with_settings(define_train_qa, run_train_qa),
  };
}

}  // namespace heed::cli
