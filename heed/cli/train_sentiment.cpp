#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/interrupt.h"
#include "heed/cli/training_options.h"
#include "heed/models/model_directory.h"
#include "heed/tasks/text_classification.h"
#include "heed/training/trainer.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string train;
  std::string valid;
  std::string out;
  ReadingOptions reading;
  tasks::TextClassificationOptions task{.word_dropout = 0.1};
  TrainingSettings training;
  ThreadOptions threads;
  bool json = false;
};

void add_model_options(CLI::App& app, tasks::TextClassificationOptions& task) {
  const std::string group = "Model";
  models::TextClassifierOptions& model = task.model;
  app.add_option("--vocabulary", task.vocabulary_size, "Words of the vocabulary, at most")
      ->check(CLI::Range(3, 10'000'000))
      ->group(group);
  app.add_option("--min-frequency", task.min_frequency, "A word seen less often counts as unknown")
      ->group(group);
  app.add_option("--width", model.width, "Size of a token's vector")->group(group);
  app.add_option("--heads", model.heads, "Attention heads; they share the width")->group(group);
  app.add_option("--layers", model.layers, "Encoder layers")->group(group);
  app.add_option("--hidden", model.hidden, "Hidden size of the feed-forward parts")->group(group);
  app.add_option("--longest", model.longest, "Tokens of a text; what is beyond is cut")
      ->group(group);
  app.add_option("--norm", model.norm, "Layer norm behind (post) or before (pre) each part")
      ->check(CLI::IsMember({"post", "pre"}))
      ->group(group);
  app.add_option("--activation", model.activation, "Of the feed-forward parts")
      ->check(CLI::IsMember({"relu", "gelu"}))
      ->group(group);
  app.add_option("--initialisation", model.initialisation, "How weights start")
      ->check(CLI::IsMember({"xavier_uniform", "xavier_normal", "scaled_normal", "small_normal"}))
      ->group(group);
  app.add_option("--embedding-deviation", model.embedding_deviation,
                 "Standard deviation that word vectors start with")
      ->group(group);
  app.add_option("--dropout", model.dropout, "Share of values dropped between layers")
      ->group(group);
  app.add_option("--attention-dropout", model.attention_dropout,
                 "Share of attention weights dropped")
      ->group(group);
  app.add_option("--embedding-dropout", model.embedding_dropout,
                 "Share of embedding values dropped")
      ->group(group);
  app.add_option("--word-dropout", task.word_dropout, "Share of words hidden in training")
      ->group(group);
  app.add_option("--label-smoothing", task.label_smoothing,
                 "Share of the target spread over all classes")
      ->group(group);
}

data::TrainingData read_data(const Settings& settings) {
  data::DataReport report;
  data::TrainingData data = data::read_training_data(
      {.train = settings.train, .valid = settings.valid}, settings.reading.parsed(), report);
  std::cerr << report.text();
  std::cerr << "heed: " << data.train.examples.size() << " training and "
            << data.valid->examples.size() << " validation examples, "
            << data.train.label_names.size() << " classes\n";
  return data;
}

void run(const Settings& settings) {
  settings.threads.apply(training_processes_here());
  models::check_replaceable_model(settings.out);
  const data::TrainingData data = read_data(settings);
  make_reproducible(settings.training.options.seed);
  tasks::TextClassification task(data, settings.task, "sentiment");

  settings.training.train(task, settings.out, settings.json);
}

}  // namespace

Command train_sentiment_command() {
  return {
      .path = "train sentiment",
      .summary = "Train a classifier of texts",
      .examples =
          "  heed train sentiment --train train.tsv --valid valid.tsv --out model\n"
          "  heed train sentiment --train a.jsonl.gz --valid b.jsonl.gz --out model --layers 2 "
          "--norm pre\n"
          "  heed train sentiment --config settings.toml --seed 7\n",
      .define =
          [](CLI::App& app) {
            auto settings = std::make_shared<Settings>();
            Settings& s = *settings;
            app.add_option("--train", s.train, "Training examples")->required();
            app.add_option("--valid", s.valid, "Validation examples")->required();
            app.add_option("--out", s.out, "Directory that the best model is saved in")->required();
            s.reading.add_to(app);
            add_model_options(app, s.task);
            s.training.add_to(app);
            s.threads.add_to(app);
            app.add_flag("--json", s.json, "Print the summary as one JSON object")
                ->group("Running");
            return [settings] { run(*settings); };
          },
  };
}

}  // namespace heed::cli
