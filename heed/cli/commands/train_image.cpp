#include <algorithm>
#include <iostream>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/commands/picture_training.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/from_model.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/models/published/preprocessor.h"
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
  PictureTraining pictures;
  FromModel from;
  tasks::ImageClassificationOptions task;
  TrainingSettings training{train_image_defaults()};
};

// What pictures are brought to.
data::ImageReadOptions picture_shape(const TrainImageSettings& settings) {
  if (!settings.from.wanted()) return settings.pictures.shape.read_options();
  for (const char* name : {"image-size", "num-channels"}) {
    check_usage(!settings.from.is_given(name), "--", name,
                ": has no meaning with --from, whose preprocessor_config.json says it");
  }
  const auto own = models::published::image_preparation_in(settings.from.directory());
  return {.height = own.height,
          .width = own.width,
          .channels = own.channels,
          .resampling = data::resampling_from(own.resample),
          .resize = own.do_resize};
}

// The labels of the pictures in this order.
void order_picture_labels(const std::vector<std::string>& names, data::ImageData& data) {
  std::vector<int32_t> places;
  for (const std::string& name : data.labels) {
    const auto found = std::find(names.begin(), names.end(), name);
    places.push_back(static_cast<int32_t>(found - names.begin()));
  }
  for (int32_t& each : data.classes) each = places[static_cast<size_t>(each)];
  data.labels = names;
}

// The published model with a head for the labels of the pictures, which take its order where it has
// just these labels.
models::TrainedImageClassifier published_picture_model(const TrainImageSettings& settings,
                                                       PictureParts& pictures) {
  using models::published::Purpose;
  const std::string& directory = settings.from.directory();
  std::vector<std::string> labels = pictures.train.labels;
  if (models::published::purpose_in(directory) == Purpose::kImageClassification) {
    const std::vector<std::string> known = models::published::labels_in(directory);
    if (std::is_permutation(known.begin(), known.end(), labels.begin(), labels.end())) {
      labels = known;
      order_picture_labels(labels, pictures.train);
      order_picture_labels(labels, pictures.valid);
    }
  }
  return models::as_image_classifier(settings.from.open_model(
      {.purpose = Purpose::kImageClassification, .labels = std::move(labels)}));
}

tasks::ImageClassification make_image_task(const TrainImageSettings& settings,
                                           PictureParts pictures) {
  tasks::ImageClassificationOptions options = settings.task;
  if (settings.from.wanted()) {
    models::TrainedImageClassifier model = published_picture_model(settings, pictures);
    return {std::move(pictures.train), std::move(pictures.valid), options, std::move(model)};
  }
  options.model.transformer = resolved(options.model.transformer);
  return {std::move(pictures.train), std::move(pictures.valid), options};
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

void run_train_image(const TrainImageSettings& given) {
  TrainImageSettings settings = given;
  settings.from.prepare({"label-smoothing", "class-weight"}, settings.training);
  settings.training.prepare();
  resolved(settings.task.model.transformer);
  PictureParts pictures =
      settings.pictures.read(picture_shape(settings), settings.training.options.seed);
  std::cerr << "heed: " << pictures.text() << '\n';
  PictureFiles files;
  const HeldOut shown = pictures.shown(files);
  tasks::ImageClassification task = make_image_task(settings, std::move(pictures));
  settings.training.train(task, shown);
  report(models::load_image_classifier(settings.training.out), task.train(), task.valid());
}

void define_train_image(Options& options, TrainImageSettings& s) {
  s.pictures.add_to(options);
  s.from.add_to(options);
  visit_fields(s.task, FieldOptions(options));
  // The patches of a picture are what is read at once.
  add_model_options(options, s.task.model, {.help = {{"max_length", ""}}});
  s.training.add_to(options, tasks::ImageClassification::watchable());
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
          "  heed train image --train list.csv --valid more.csv --skip-bad --out model\n"
          "  heed train image --from vit-base-patch16-224 --train photos --out model\n",
      .define = with_settings(define_train_image, run_train_image),
  };
}

}  // namespace heed::cli
