#include <iostream>

#include "heed/cli/command.h"
#include "heed/cli/commands/sound_training.h"
#include "heed/cli/common.h"
#include "heed/tasks/speech/speech_recognition.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_asr_defaults() {
  training::TrainingOptions options;
  options.epochs = 30;
  options.batch_size = 16;
  options.lr = 2e-3;
  return options;
}

struct TrainAsrSettings {
  SoundTraining sounds{.target = data::SoundTarget::kText};
  tasks::SpeechRecognitionOptions task;
  TrainingSettings training{train_asr_defaults()};
};

void run_train_asr(const TrainAsrSettings& settings) {
  settings.training.prepare();
  tasks::SpeechRecognitionOptions options = settings.task;
  options.model.speech = resolved(options.model.speech);
  SoundParts parts = settings.sounds.read(options.model.speech, settings.training.options.seed);
  std::cerr << "heed: " << parts.text() << '\n';
  const HeldOut shown = parts.shown();
  tasks::SpeechRecognition task(std::move(parts.train), std::move(parts.valid), options);
  warn(task.warnings());
  std::cerr << "heed: " << task.trained().tokens.size() - 1 << ' ' << options.units << '\n';
  settings.training.train(task, shown);
}

void define_train_asr(Options& options, TrainAsrSettings& s) {
  s.sounds.add_to(options, "Sounds (a table of files and what is said in each)");
  add_speech_options(options, s.task);
  s.training.add_to(options, tasks::SpeechRecognition::watchable());
}

}  // namespace

Command train_asr_command() {
  return {
      .path = "train asr",
      .summary = "Train a model that writes what is said",
      .examples =
          "  heed train asr --train train.csv --valid valid.csv --out model\n"
          "  heed train asr --train calls.tsv --sampling-rate 8000 --units words --out model\n",
      .define = with_settings(define_train_asr, run_train_asr),
  };
}

}  // namespace heed::cli
