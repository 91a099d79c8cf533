#include <iostream>

#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/speech_sets.h"
#include "heed/cli/options/training_options.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/tasks/speech_recognition.h"

namespace heed::cli {
namespace {

training::TrainingOptions defaults() {
  training::TrainingOptions options;
  options.epochs = 30;
  options.batch_size = 16;
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
  tasks::SpeechRecognitionOptions task;
  TrainingSettings training{defaults()};
};

void run(const Settings& settings) {
  settings.training.prepare();
  tasks::SpeechRecognitionOptions options = settings.task;
  models::SpeechOptions& speech = options.model.speech;
  speech.transformer = resolved(speech.transformer);
  check(speech);
  const auto read = [&](const std::vector<std::string>& inputs) {
    return settings.reading.read(inputs, settings.table, settings.rows,
                                 {.features = models::log_mel_options(speech),
                                  .max_seconds = speech.max_seconds,
                                  .target = data::SoundTarget::kText});
  };
  data::SoundData train = read(settings.train);
  data::SoundData valid = settings.valid.empty() ? held_back_sounds(train, settings.valid_share,
                                                                    settings.training.options.seed)
                                                 : read(settings.valid);
  std::cerr << "heed: " << train.examples.size() << " sounds to train ("
            << formatted("%.1f", train.seconds() / 60) << " minutes), " << valid.examples.size()
            << " to validate\n";
  tasks::SpeechRecognition task(std::move(train), std::move(valid), options);
  warn(task.warnings());
  std::cerr << "heed: " << task.trained().tokens.size() - 1 << ' ' << options.units << '\n';
  settings.training.train(task);
}

void define(Options& options, Settings& s) {
  add_example_files(options, {.train = s.train, .valid = s.valid, .valid_share = s.valid_share},
                    "Sounds (a table of files and what is said in each)");
  s.reading.add_to(options);
  s.rows.add_skip_bad(options);
  options
      .add("--text-column", s.table.text_column,
           "Name or number of the column that holds what is said")
      .group("Reading data");
  s.table.add_table_options(options);
  s.task.model.speech.transformer.d_ff = 0;
  // The longest sound says how many steps there are; norms stand where Conformer has them.
  visit_fields(s.task.model,
               FieldOptions(options, {.help = {{"max_length", ""}, {"norm_first", ""}}}));
  visit_fields(s.task, FieldOptions(options));
  s.training.add_to(options, {"loss", "wer", "cer"});
}

}  // namespace

Command train_asr_command() {
  return {
      .path = "train asr",
      .summary = "Train a model that writes what is said",
      .examples =
          "  heed train asr --train train.csv --valid valid.csv --out model\n"
          "  heed train asr --train calls.tsv --sampling-rate 8000 --units words --out model\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
