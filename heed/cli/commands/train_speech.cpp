#include <iostream>

#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/speech_sets.h"
#include "heed/cli/options/training_options.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/tasks/speech_classification.h"

namespace heed::cli {
namespace {

training::TrainingOptions defaults() {
  training::TrainingOptions options;
  options.epochs = 40;
  options.batch_size = 32;
  options.lr = 2e-3;
  return options;
}

struct Settings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  SoundReading reading;
  TimedRows rows;
  ReadingOptions table;
  tasks::SpeechClassificationOptions task;
  TrainingSettings training{defaults()};
};

void run(const Settings& settings) {
  settings.training.prepare();
  tasks::SpeechClassificationOptions options = settings.task;
  models::SpeechOptions& speech = options.model.speech;
  speech.transformer = resolved(speech.transformer);
  check(speech);
  SoundReading::Heard heard{.features = models::log_mel_options(speech),
                            .max_seconds = speech.max_seconds};
  const auto read = [&](const std::vector<std::string>& inputs) {
    return settings.reading.read(inputs, settings.table, settings.rows, heard);
  };
  data::SoundData train = read(settings.train);
  heard.labels = train.labels;
  data::SoundData valid = settings.valid.empty() ? held_back_sounds(train, settings.valid_share,
                                                                    settings.training.options.seed)
                                                 : read(settings.valid);
  std::cerr << "heed: " << train.examples.size() << " sounds to train ("
            << formatted("%.1f", train.seconds() / 60) << " minutes), " << valid.examples.size()
            << " to validate, " << train.labels.size() << " classes\n";
  tasks::SpeechClassification task(std::move(train), std::move(valid), options);
  settings.training.train(task);
}

void define(Options& options, Settings& s) {
  add_example_files(
      options, {.train = s.train, .valid = s.valid, .valid_share = s.valid_share},
      "Sounds (a folder with a folder for each class, or a table of files and classes)");
  s.reading.add_to(options);
  s.rows.add_skip_bad(options);
  s.table.add_label_column(options);
  s.table.add_table_options(options);
  models::SpeechOptions& speech = s.task.model.speech;
  speech.transformer.d_ff = 0;
  // The longest sound says how many steps there are; norms stand where Conformer has them.
  visit_fields(s.task.model,
               FieldOptions(options, {.help = {{"max_length", ""}, {"norm_first", ""}}}));
  visit_fields(s.task, FieldOptions(options));
  s.training.add_to(options, {"loss", "accuracy", "macro_f1"});
}

}  // namespace

Command train_speech_command() {
  return {
      .path = "train speech",
      .summary = "Train a model that tells sounds apart, such as spoken commands",
      .examples =
          "  heed train speech --train commands --out model\n"
          "  heed train speech --train train.csv --valid valid.csv --sampling-rate 8000 --out "
          "model\n"
          "  heed train speech --train commands --subsampling 2 --frequency-warp 0 --skip-bad "
          "--out model\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
