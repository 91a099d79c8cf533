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
#include "heed/tasks/text/text_classification.h"

namespace heed::cli {
namespace {

struct TrainClassifySettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  ReadingOptions reading;
  FromModel from;
  tasks::TextClassificationOptions task{.word_dropout = 0.1};
  TrainingSettings training;
};

data::TrainingData read_data(const TrainClassifySettings& settings) {
  data::DataReport report;
  data::ReadOptions reading = settings.reading.parsed();
  reading.label_separator = settings.task.label_separator;
  data::TrainingData data = data::read_training_data({.train = paths_of(settings.train),
                                                      .valid = paths_of(settings.valid),
                                                      .valid_share = settings.valid_share,
                                                      .seed = settings.training.options.seed},
                                                     reading, report);
  throw_or_warn(report);
  std::cerr << "heed: " << data.train.examples.size() << " training and "
            << data.valid->examples.size() << " validation examples, "
            << data.train.label_names.size() << " classes\n";
  return data;
}

// Which metrics there are depends on whether a text may have several labels.
void check_watched(const TrainClassifySettings& settings) {
  const std::string& watch = settings.training.options.metric_for_best_model;
  const bool several = !settings.task.label_separator.empty();
  const bool missing =
      several ? watch == "accuracy" : watch == "micro_f1" || watch == "subset_accuracy";
  check_usage(!missing, "--metric-for-best-model: ", watch, " is measured where a text ",
              several ? "has one label, which --label-separator says it has not"
                      : "may have several labels (--label-separator)");
}

// The labels of the data in this order.
void order_labels(data::ClassificationData& data, const std::vector<std::string>& names) {
  std::vector<int32_t> place;
  for (const std::string& name : data.label_names) {
    const auto found = std::find(names.begin(), names.end(), name);
    place.push_back(static_cast<int32_t>(found - names.begin()));
  }
  for (data::Example& example : data.examples) {
    if (example.label) example.label = place[static_cast<size_t>(*example.label)];
    for (int32_t& label : example.labels) label = place[static_cast<size_t>(label)];
    std::sort(example.labels.begin(), example.labels.end());
  }
  data.label_names = names;
}

// The published model with a head for the labels of the data, which take its order where it has
// just these labels.
models::TrainedTextClassifier published_model(const TrainClassifySettings& settings,
                                              data::TrainingData& data) {
  using models::published::Purpose;
  const std::string& directory = settings.from.directory();
  std::vector<std::string> labels = data.train.label_names;
  if (models::published::purpose_in(directory) == Purpose::kSequenceClassification) {
    const std::vector<std::string> known = models::published::labels_in(directory);
    if (std::is_permutation(known.begin(), known.end(), labels.begin(), labels.end())) {
      labels = known;
      order_labels(data.train, labels);
      order_labels(*data.valid, labels);
    }
  }
  return models::as_text_classifier(
      settings.from.open({.purpose = Purpose::kSequenceClassification,
                          .labels = labels,
                          .max_length = settings.from.given_or_0(
                              "max-length", settings.task.model.transformer.max_length)}));
}

tasks::TextClassification make_task(const TrainClassifySettings& settings,
                                    data::TrainingData& data) {
  tasks::TextClassificationOptions options = settings.task;
  if (settings.from.wanted()) return {data, options, published_model(settings, data)};
  options.model.transformer = resolved(options.model.transformer);
  return {data, options};
}

HeldOut shown_texts(const data::ClassificationData& data, const std::string& separator) {
  return held_out(data.examples, [&](const data::Example& example) {
    std::vector<std::string> labels;
    const auto add = [&](int32_t c) { labels.push_back(data.label_names[static_cast<size_t>(c)]); };
    if (example.label) add(*example.label);
    for (const int32_t label : example.labels) add(label);
    return HeldOutExample{.input = example.text,
                          .about = {.right = labels.empty() ? "none of the labels"
                                                            : joined(labels, separator.c_str())}};
  });
}

void run_train_classify(const TrainClassifySettings& given) {
  TrainClassifySettings settings = given;
  settings.from.prepare({"max-length", "word-dropout", "label-smoothing", "class-weight"},
                        settings.training);
  if (settings.from.wanted()) {
    settings.task.word_dropout =
        settings.from.given_or_0("word-dropout", 1) * given.task.word_dropout;
  }
  settings.training.prepare();
  resolved(settings.task.model.transformer);
  check_watched(settings);
  data::TrainingData data = read_data(settings);
  tasks::TextClassification task = make_task(settings, data);
  warn(task.cut().warnings());

  settings.training.train(task, shown_texts(*data.valid, settings.task.label_separator));
}

void define_train_classify(Options& options, TrainClassifySettings& s) {
  add_example_files(options, {.train = s.train, .valid = s.valid, .valid_share = s.valid_share},
                    "Examples");
  s.from.add_to(options);
  s.reading.add_to(options);
  visit_fields(s.task, FieldOptions(options));
  add_model_options(
      options, s.task.model,
      {.help = {
           {"max_length", "Tokens of a text, or of a sentence of it; what is beyond is cut"}}});
  s.training.add_to(options, tasks::TextClassification::watchable());
}

}  // namespace

Command train_classify_command() {
  return {
      .path = "train classify",
      .summary = "Train a classifier of texts",
      .examples =
          "  heed train classify --train train.tsv --valid valid.tsv --out model\n"
          "  heed train classify --train all.csv --valid-share 0.2 --class-weight balanced --out "
          "model\n"
          "  heed train classify --train a.jsonl.gz --valid b.jsonl.gz --out model --num-layers 2 "
          "--norm-first true\n"
          "  heed train classify --train a.csv --valid b.csv --out model --label-separator ';'\n"
          "  heed train classify --train a.jsonl --valid b.jsonl --out model --documents sentences "
          "--score additive\n"
          "  heed train classify --from all-MiniLM-L6-v2 --train a.tsv --valid b.tsv --out model\n"
          "  heed train classify --from bert-base-uncased --lora-r 8 --train a.tsv --valid b.tsv "
          "--out adapter\n"
          "  heed train classify --config settings.toml --seed 7\n",
      .define = with_settings(define_train_classify, run_train_classify),
  };
}

}  // namespace heed::cli
