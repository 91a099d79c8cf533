#include <iostream>

#include "heed/cli/command.h"
#include "heed/cli/commands/sound_training.h"
#include "heed/cli/common.h"
#include "heed/tasks/speech/speech_classification.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_speech_defaults() {
  training::TrainingOptions options;
  options.epochs = 40;
  options.batch_size = 32;
  options.lr = 2e-3;
  return options;
}

struct TrainSpeechSettings {
  SoundTraining sounds{.target = data::SoundTarget::kLabel};
  tasks::SpeechClassificationOptions task;
  TrainingSettings training{train_speech_defaults()};
};

void run_train_speech(const TrainSpeechSettings& settings) {
  settings.training.prepare();
  tasks::SpeechClassificationOptions options = settings.task;
  options.model.speech = resolved(options.model.speech);
  SoundParts parts = settings.sounds.read(options.model.speech, settings.training.options.seed);
  std::cerr << "heed: " << parts.text() << ", " << parts.train.labels.size() << " classes\n";
  const HeldOut shown = parts.shown();
  tasks::SpeechClassification task(std::move(parts.train), std::move(parts.valid), options);
  settings.training.train(task, shown);
}

void define_train_speech(Options& options, TrainSpeechSettings& s) {
  s.sounds.add_to(
      options, "Sounds (a folder with a folder for each class, or a table of files and classes)");
  add_speech_options(options, s.task);
  s.training.add_to(options, tasks::SpeechClassification::watchable());
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
      .define = with_settings(define_train_speech, run_train_speech),
  };
}

}  // namespace heed::cli
