#include <iostream>
#include <string>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/commands/picture_training.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/tasks/image/image_generation.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_generation_defaults() {
  training::TrainingOptions options;
  options.epochs = 2;
  options.batch_size = 32;
  options.lr = 2e-3;
  options.lr_scheduler = "cosine";
  options.warmup_ratio = 0.05;
  options.optimizer.weight_decay = 0.1;
  options.optimizer.beta2 = 0.99;
  return options;
}

struct TrainGenerationSettings {
  PictureTraining pictures;
  models::ImageGeneratorOptions model;
  TrainingSettings training{train_generation_defaults()};
};

std::string text_of_codes(const models::ImageCodes& codes) {
  return text_of(codes.options().count(), " tokens each, ", codes.size(), " codes, ",
                 codes.is_exact() ? "one for each patch that there can be"
                                  : "each for the patches nearest to it");
}

void report_generation(const models::TrainedImageGenerator& best,
                       const tasks::ImageGeneration& task) {
  const auto line = [](const std::string& name, double value) {
    std::cerr << formatted("  %-14s%.4f bits per dimension\n", name.c_str(), value);
  };
  const auto& o = best.model->options();
  std::cerr << "heed: on the pictures that validate"
            << (best.model->codes().is_exact() ? ":\n" : ", as they are quantised:\n");
  const double bits = tasks::metric(
      tasks::generation_metrics(o, tasks::image_nats(best, task.valid())), "bits_per_dim");
  line("this model", bits);
  bool beaten = false;
  for (const auto& [name, value] : tasks::generation_baselines(o, task.train(), task.valid())) {
    line(name, value);
    beaten = beaten || value <= bits;
  }
  if (beaten) std::cerr << "  a count of codes is at least as good as the model: train it longer\n";
}

void run_train_generation(const TrainGenerationSettings& settings) {
  settings.training.prepare();
  models::ImageGeneratorOptions model = settings.model;
  model.transformer = resolved(model.transformer);
  const PictureParts pictures = settings.pictures.read(settings.pictures.shape.read_options(),
                                                       settings.training.options.seed);
  std::cerr << "heed: " << pictures.text() << '\n';
  tasks::ImageGeneration task(pictures.train, pictures.valid, model);
  std::cerr << "heed: " << text_of_codes(task.trained().model->codes()) << '\n';
  PictureFiles files;
  settings.training.train(task, pictures.shown(files));
  report_generation(models::load_image_generator(settings.training.out), task);
}

void define_train_generation(Options& options, TrainGenerationSettings& s) {
  s.pictures.add_to(options);
  // All codes of a picture are what is read at once.
  add_model_options(options, s.model, {.help = {{"max_length", ""}}});
  s.training.add_to(options, tasks::ImageGeneration::watchable());
}

}  // namespace

Command train_image_generation_command() {
  return {
      .path = "train image-generation",
      .summary = "Train a model that writes pictures of a class",
      .examples =
          "  heed train image-generation --train train-images-idx3-ubyte.gz --out model\n"
          "  heed train image-generation --train train-images-idx3-ubyte.gz --patch-size 1 "
          "--levels 4 --out model\n"
          "  heed train image-generation --train photos --image-size 32 --codebook-size 1024 "
          "--out model\n",
      .define = with_settings(define_train_generation, run_train_generation),
  };
}

}  // namespace heed::cli
