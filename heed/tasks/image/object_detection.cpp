#include "heed/tasks/image/object_detection.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/models/files/label_json.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/image/boxes.h"
#include "heed/tasks/image/pixels.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationScenes = 64;
constexpr int64_t kScenePatches = 16'384;  // of a batch, unless one picture has more

// The pictures moved, and their boxes with them.
std::pair<at::Tensor, std::vector<RealBoxes>> augmented_scenes(const at::Tensor& images,
                                                               std::vector<RealBoxes> real,
                                                               const AugmentationOptions& options) {
  if (!options.any()) return {images, std::move(real)};
  const at::NoGradGuard no_grad;
  const at::Tensor moves = drawn_moves(images.sizes(), options);
  for (size_t i = 0; i < real.size(); ++i) {
    if (real[i].classes.numel() == 0) continue;
    const MovedBoxes boxes = moved_boxes(real[i].boxes, moves[static_cast<int64_t>(i)]);
    const at::Tensor kept = boxes.remain.nonzero().squeeze(1);
    real[i] = {.classes = real[i].classes.index_select(0, kept),
               .boxes = boxes.boxes.index_select(0, kept)};
  }
  return {moved_pictures(images, moves), std::move(real)};
}

template <typename T>
std::vector<T> with_numbers(const std::vector<T>& all, const std::vector<int64_t>& numbers) {
  std::vector<T> some;
  for (const int64_t i : numbers) some.push_back(all[static_cast<size_t>(i)]);
  return some;
}

PixelScale pixel_scale_of(const models::TrainedObjectDetector& trained) {
  return {.means = trained.pixel_means, .deviations = trained.pixel_deviations};
}

void check_has_objects(const data::ObjectData& data) {
  if (std::any_of(data.objects.begin(), data.objects.end(),
                  [](const data::LabeledObject& object) { return !object.crowd; })) {
    return;
  }
  throw DataError(joined(data.pictures.files), "expected objects in the pictures, found none");
}

}  // namespace

ObjectDetection::ObjectDetection(data::ObjectData train, data::ObjectData valid,
                                 const ObjectDetectionOptions& options)
    : options_(options), train_(std::move(train)), valid_(std::move(valid)) {
  visit_fields(options, nn::FieldCheck());
  check_usage(train_.count() > 0 && valid_.count() > 0, "training: expected pictures to train and ",
              "to validate on, got ", train_.count(), " and ", valid_.count());
  check_has_objects(train_);
  check_has_objects(valid_);
  trained_.labels = train_.categories;
  trained_.category_ids = train_.category_ids;
  models::check_labels_fit(trained_.labels);
  PixelScale scale = pixel_scale(train_.pictures);
  trained_.pixel_means = std::move(scale.means);
  trained_.pixel_deviations = std::move(scale.deviations);
  models::ObjectDetectorOptions model = options.model;
  model.image_height = train_.pictures.height;
  model.image_width = train_.pictures.width;
  model.num_channels = train_.pictures.channels;
  model.num_classes = std::ssize(train_.categories);
  trained_.model = std::make_shared<models::ObjectDetector>(model);
  train_boxes_ = real_boxes(train_);
  valid_boxes_ = real_boxes(valid_);
  lengths_.assign(static_cast<size_t>(train_.count()),
                  models::patch_grid(model).count() + model.num_queries);
}

std::vector<Source> ObjectDetection::sources() const {
  const auto add = [](Checksum& sum, const data::ObjectData& data) {
    sum.add(data.pictures.pixels.data(), data.pictures.pixels.size());
    for (const data::LabeledObject& object : data.objects) {
      sum.add(std::vector<int64_t>{object.image, object.category, object.crowd ? 1 : 0});
      sum.add(std::vector<double>{object.x, object.y, object.width, object.height, object.area});
    }
  };
  return {source_of("training data", [&](Checksum& sum) { add(sum, train_); }),
          source_of("validation data", [&](Checksum& sum) { add(sum, valid_); }),
          source_of("labels", [&](Checksum& sum) { sum.add(trained_.labels); })};
}

std::unique_ptr<SceneBatch> ObjectDetection::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<SceneBatch>(std::move(examples));
  batch->images = detector_batch(trained_, train_.pictures, batch->examples);
  batch->real = with_numbers(train_boxes_, batch->examples);
  return batch;
}

at::Tensor ObjectDetection::loss_of(const std::vector<models::FoundBoxes>& found,
                                    const std::vector<RealBoxes>& real) const {
  at::Tensor sum = set_loss(found.back(), real, options_.loss);
  // What the patches say has no gradient but its own loss: queries are chosen by it.
  const size_t before = options_.auxiliary_loss ? found.size() - 1 : 1;
  for (size_t stage = 0; stage < before; ++stage) {
    sum = sum + set_loss(found[stage], real, options_.loss);
  }
  return sum;
}

Loss ObjectDetection::loss_of(const SceneBatch& scenes) {
  const auto [images, real] = augmented_scenes(scenes.images.to(device_of(*trained_.model)),
                                               scenes.real, options_.augmentation);
  const auto count = std::ssize(scenes.examples);
  return {.value = loss_of(trained_.model->forward(images), real),
          .tokens = count * lengths_[0],
          .weight = static_cast<double>(count)};
}

Metrics ObjectDetection::validate(const Progress& progress) {
  double loss = 0;
  const auto found = found_objects(
      trained_, valid_.pictures, progress,
      [&](const std::vector<int64_t>& numbers, const std::vector<models::FoundBoxes>& said) {
        loss += loss_of(said, with_numbers(valid_boxes_, numbers)).item<double>() *
                static_cast<double>(numbers.size());
      });
  const auto count = static_cast<double>(valid_.count());
  Metrics all = {{"loss", loss / count}};
  for (auto& each : detection_metrics(metrics::detection_scores(
           real_objects(valid_), found, valid_.count(), std::ssize(valid_.categories)))) {
    all.push_back(std::move(each));
  }
  all.emplace_back("examples", count);
  return all;
}

void ObjectDetection::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<RealBoxes> real_boxes(const data::ObjectData& data) {
  std::vector<std::vector<int64_t>> classes(static_cast<size_t>(data.count()));
  std::vector<std::vector<double>> corners(classes.size());
  for (const data::LabeledObject& object : data.objects) {
    if (object.crowd) continue;
    const auto image = static_cast<size_t>(object.image);
    const data::ImageSize& size = data.pictures.sizes[image];
    const auto share = [](double at, int64_t side) {
      return std::clamp(at / static_cast<double>(side), 0.0, 1.0);
    };
    classes[image].push_back(object.category);
    corners[image].insert(
        corners[image].end(),
        {share(object.x, size.width), share(object.y, size.height),
         share(object.x + object.width, size.width), share(object.y + object.height, size.height)});
  }
  std::vector<RealBoxes> real;
  for (size_t i = 0; i < classes.size(); ++i) {
    real.push_back({.classes = at::tensor(classes[i], at::kLong),
                    .boxes = centred(at::tensor(corners[i], at::kFloat).reshape({-1, 4}))});
  }
  return real;
}

at::Tensor detector_batch(const models::TrainedObjectDetector& trained,
                          const data::ImageData& pictures, const std::vector<int64_t>& numbers) {
  const auto& o = trained.model->options();
  check_usage(pictures.height == o.image_height && pictures.width == o.image_width &&
                  pictures.channels == o.num_channels,
              "pictures: expected ", o.image_width, " × ", o.image_height, " × ", o.num_channels,
              ", got ", pictures.width, " × ", pictures.height, " × ", pictures.channels);
  return standardised_pixels(pictures, numbers, pixel_scale_of(trained));
}

std::vector<QueryObject> objects_of_queries(const models::FoundBoxes& said, int64_t index,
                                            const data::ImageSize& size) {
  const at::Tensor logits = said.logits[index].to(at::kCPU, at::kDouble);  // (Q, classes + 1)
  const at::Tensor classes = at::softmax(logits, -1).narrow(-1, 0, logits.size(1) - 1);
  const auto [scores, labels] = classes.max(-1);
  const at::Tensor order = std::get<1>(scores.sort(/*stable=*/true, 0, /*descending=*/true));
  const auto height = static_cast<double>(size.height);
  const auto width = static_cast<double>(size.width);
  const at::Tensor corners = corners_of(said.boxes[index].to(at::kCPU, at::kDouble)).clamp(0, 1) *
                             at::tensor({width, height, width, height}, at::kDouble);
  std::vector<QueryObject> found;
  for (int64_t i = 0; i < order.numel(); ++i) {
    const auto query = order[i].item<int64_t>();
    const auto side = [corner = corners[query]](int64_t at) { return corner[at].item<double>(); };
    found.push_back({.query = query,
                     .object = {.category = labels[query].item<int64_t>(),
                                .box = {.x = side(0),
                                        .y = side(1),
                                        .width = side(2) - side(0),
                                        .height = side(3) - side(1)},
                                .score = scores[query].item<double>()}});
  }
  return found;
}

std::vector<metrics::FoundObject> found_objects(const models::TrainedObjectDetector& trained,
                                                const data::ImageData& pictures,
                                                const Progress& progress, const SeenBatch& each) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained.model);
  std::vector<metrics::FoundObject> found;
  const std::vector<int64_t> lengths(pictures.names.size(), 1);
  const int64_t patches = models::patch_grid(trained.model->options()).count();
  const int64_t batch = std::clamp<int64_t>(kScenePatches / patches, 1, kEvaluationScenes);
  for_each_batch(lengths, batch, progress, [&](const std::vector<int64_t>& numbers) {
    const at::Tensor images =
        standardised_pixels(pictures, numbers, pixel_scale_of(trained)).to(device);
    const std::vector<models::FoundBoxes> said = trained.model->forward(images);
    if (each) each(numbers, said);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const data::ImageSize& size = pictures.sizes[static_cast<size_t>(numbers[i])];
      for (QueryObject& one : objects_of_queries(said.back(), static_cast<int64_t>(i), size)) {
        one.object.image = numbers[i];
        found.push_back(one.object);
      }
    }
  });
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.image < b.image; });
  return found;
}

std::vector<metrics::RealObject> real_objects(const data::ObjectData& data) {
  std::vector<metrics::RealObject> real;
  for (const data::LabeledObject& object : data.objects) {
    real.push_back(
        {.image = object.image,
         .category = object.category,
         .box = {.x = object.x, .y = object.y, .width = object.width, .height = object.height},
         .area = object.area,
         .crowd = object.crowd});
  }
  return real;
}

Metrics detection_metrics(const metrics::DetectionScores& scores) {
  Metrics all = {{"ap", scores.ap},
                 {"ap50", scores.ap50},
                 {"ap75", scores.ap75},
                 {"ap_small", scores.ap_small},
                 {"ap_medium", scores.ap_medium},
                 {"ap_large", scores.ap_large},
                 {"ar1", scores.ar1},
                 {"ar10", scores.ar10},
                 {"ar100", scores.ar100},
                 {"ar_small", scores.ar_small},
                 {"ar_medium", scores.ar_medium},
                 {"ar_large", scores.ar_large}};
  std::erase_if(all, [](const auto& metric) { return metric.second < 0; });
  return all;
}

data::ImageReadOptions reading_for(const models::TrainedObjectDetector& trained) {
  const auto& o = trained.model->options();
  return {.height = o.image_height,
          .width = o.image_width,
          .channels = o.num_channels,
          .has_labels = false,
          .label_names = trained.labels};
}

}  // namespace heed::tasks
