#include <iostream>
#include <utility>

#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/image_sets.h"
#include "heed/cli/options/training_options.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/image/image_classification.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_image_defaults() {
  training::TrainingOptions options;
  options.epochs = 20;
  options.batch_size = 64;
  options.lr = 1e-3;
  return options;
}

struct TrainImageSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  int64_t image_size = 0;
  int64_t num_channels = 0;
  ImageReading reading;
  TimedRows rows;
  ReadingOptions table;
  tasks::ImageClassificationOptions task;
  TrainingSettings training{train_image_defaults()};
};

struct Pictures {
  data::ImageData train;
  data::ImageData valid;
};

Pictures read_pictures(const TrainImageSettings& settings) {
  Pictures parts{.train = settings.reading.read(settings.train,
                                                {.height = settings.image_size,
                                                 .width = settings.image_size,
                                                 .channels = settings.num_channels},
                                                settings.table, settings.rows),
                 .valid = {}};
  if (!settings.valid.empty()) {
    ImageReading reading = settings.reading;
    reading.labels.clear();  // those of the pictures that train
    parts.valid = reading.read(settings.valid,
                               {.height = parts.train.height,
                                .width = parts.train.width,
                                .channels = parts.train.channels,
                                .label_names = parts.train.labels},
                               settings.table, settings.rows);
    return parts;
  }
  data::DataReport report;
  parts.valid = data::take_validation(parts.train, settings.valid_share,
                                      settings.training.options.seed, report);
  throw_or_warn(report);
  return parts;
}

void report(const models::TrainedImageClassifier& best, const data::ImageData& train,
            const data::ImageData& valid) {
  const auto line = [](const std::string& name, double value) {
    std::cerr << formatted("  %-12saccuracy %.4f\n", name.c_str(), value);
  };
  std::cerr << "heed: on the pictures that validate:\n";
  const double accuracy = tasks::metric(
      tasks::scores_of_logits(tasks::logits_of(best, valid), valid.classes).metrics, "accuracy");
  line("this model", accuracy);
  bool beaten = false;
  for (const auto& [name, value] : tasks::image_baselines(best, train, valid)) {
    line(name, value);
    beaten = beaten || value >= accuracy;
  }
  if (beaten) std::cerr << "  a baseline is at least as good as the model: use that one\n";
}

void run_train_image(const TrainImageSettings& settings) {
  settings.training.prepare();
  tasks::ImageClassificationOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  Pictures pictures = read_pictures(settings);
  const data::ImageData& train = pictures.train;
  std::cerr << "heed: " << train.count() << " pictures train, " << pictures.valid.count()
            << " validate; " << train.width << " × " << train.height
            << (train.channels == 1 ? " pixels, grey; " : " pixels, colours; ")
            << train.labels.size() << " classes\n";
  tasks::ImageClassification task(std::move(pictures.train), std::move(pictures.valid), options);
  settings.training.train(task);
  report(models::load_image_classifier(settings.training.out), task.train(), task.valid());
}

void define_train_image(Options& options, TrainImageSettings& s) {
  const std::string group = "Pictures";
  add_example_files(options, {s.train, s.valid, s.valid_share},
                    "Pictures (a folder with a folder for each class, an IDX file, a list)");
  options
      .add("--image-size", s.image_size,
           "Pixels of a side that all pictures are brought to; 0: they are alike and stay so")
      .range(0, 4096)
      .group(group);
  options
      .add("--num-channels", s.num_channels,
           "1: grey, 3: red, green and blue; 0: grey where all pictures are")
      .one_of({"0", "1", "3"})
      .group(group);
  s.reading.add_to(options);
  s.rows.add_skip_bad(options);
  s.table.add_table_options(options);
  s.table.add_max_classes(options, "Classes, at most");
  visit_fields(s.task, FieldOptions(options));
  // The patches of a picture are what is read at once.
  add_model_options(options, s.task.model, {.help = {{"max_length", ""}}});
  s.training.add_to(options, {"loss", "accuracy", "macro_f1"});
}

}  // namespace

Command train_image_command() {
  return {
      .path = "train image",
      .summary = "Train a model that tells what pictures show",
      .examples =
          "  heed train image --train train-images-idx3-ubyte.gz --out model\n"
          "  heed train image --train photos --image-size 64 --patch-size 8 --flip true --out "
          "model\n"
          "  heed train image --train list.csv --valid more.csv --skip-bad --out model\n",
      .define = with_settings(define_train_image, run_train_image),
  };
}

}  // namespace heed::cli
