// Learning to find objects in pictures: a class and a box for each.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heed/data/images/object_data.h"
#include "heed/metrics/detection.h"
#include "heed/models/files/object_detector_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/image/image_augmentation.h"
#include "heed/tasks/image/set_loss.h"

namespace heed::tasks {

struct ObjectDetectionOptions {
  models::ObjectDetectorOptions model;  // sizes and classes are read from the data
  // Boxes are moved with their pictures; of a turned one, the box is the one around it.
  AugmentationOptions augmentation = {.max_shift = 4, .max_rotation = 0, .max_scale = 0.1};
  SetLossOptions loss = {};
  // The loss of what the patches and the layers before the last one say is added.
  bool auxiliary_loss = true;
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<ObjectDetectionOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit_fields(o.loss, visit);
  visit(
      nn::Field{.name = "auxiliary_loss",
                .help = "Every layer of the decoder learns to find the objects, not only the last",
                .group = "Loss"},
      o.auxiliary_loss);
  visit_fields(o.augmentation, visit);
}

struct SceneBatch final : Batch {
  using Batch::Batch;
  at::Tensor images;            // (B, channels, height, width)
  std::vector<RealBoxes> real;  // B
};

class ObjectDetection final : public TaskOf<SceneBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. `valid` has the size and the
  // categories of `train`. Throws UsageError for options that cannot be used, DataError where there
  // is no object in one of the two.
  ObjectDetection(data::ObjectData train, data::ObjectData valid,
                  const ObjectDetectionOptions& options);

  std::string name() const override { return "detect"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<SceneBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const SceneBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "ap");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("ap"), highest("ap50"), highest("ap75"), highest("ar100")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedObjectDetector& trained() const { return trained_; }
  const data::ObjectData& train() const { return train_; }
  const data::ObjectData& valid() const { return valid_; }

 private:
  at::Tensor loss_of(const std::vector<models::FoundBoxes>& found,
                     const std::vector<RealBoxes>& real) const;

  ObjectDetectionOptions options_;
  models::TrainedObjectDetector trained_;
  data::ObjectData train_;
  data::ObjectData valid_;
  std::vector<RealBoxes> train_boxes_;
  std::vector<RealBoxes> valid_boxes_;
  std::vector<int64_t> lengths_;
};

// The objects of each picture, crowds left out, boxes cut off at the edges of the picture.
std::vector<RealBoxes> real_boxes(const data::ObjectData& data);

// Pictures of the model's size and channels as it reads them: (B, channels, height, width).
at::Tensor detector_batch(const models::TrainedObjectDetector& trained,
                          const data::ImageData& pictures, const std::vector<int64_t>& numbers);

// What each query found in picture `index` of a batch, whose file has this size, the surest first;
// the number of the picture is 0.
struct QueryObject {
  int64_t query = 0;
  metrics::FoundObject object;
};
std::vector<QueryObject> objects_of_queries(const models::FoundBoxes& said, int64_t index,
                                            const data::ImageSize& size);

// What the model finds in pictures of its size and channels, Q objects in each, the surest first;
// boxes in the pixels of the pictures' files, cut off at their edges. `each`, where it is given,
// sees what the model says of these pictures.
using SeenBatch = std::function<void(const std::vector<int64_t>& numbers,
                                     const std::vector<models::FoundBoxes>& found)>;
std::vector<metrics::FoundObject> found_objects(const models::TrainedObjectDetector& trained,
                                                const data::ImageData& pictures,
                                                const Progress& progress = {},
                                                const SeenBatch& each = {});

// What the data say, for detection_scores().
std::vector<metrics::RealObject> real_objects(const data::ObjectData& data);

// ap, ap50, ap75, those of small, medium and large objects where there are any, ar1, ar10, ar100.
Metrics detection_metrics(const metrics::DetectionScores& scores);

// Categories as the model knows them by name, sizes of its pictures.
data::ImageReadOptions reading_for(const models::TrainedObjectDetector& trained);

}  // namespace heed::tasks
