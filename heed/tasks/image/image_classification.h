// Learning to tell what a picture shows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/images/image_data.h"
#include "heed/models/files/image_classifier_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/image/image_augmentation.h"

namespace heed::tasks {

struct ImageClassificationOptions {
  models::ImageClassifierOptions model;  // sizes and classes are read from the data
  AugmentationOptions augmentation = {};
  double label_smoothing = 0;
  std::string class_weight = "none";  // see class_weights()
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<ImageClassificationOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::share_field("label_smoothing", "Share of the target spread over all classes"),
        o.label_smoothing);
  visit(class_weight_field("balanced: a picture counts the more, the rarer its class"),
        o.class_weight);
  visit_fields(o.augmentation, visit);
}

struct ImageBatch final : Batch {
  using Batch::Batch;
  at::Tensor images;  // (B, channels, height, width)
  at::Tensor labels;  // (B)
};

class ImageClassification final : public TaskOf<ImageBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. `valid` has the sizes and the
  // classes of `train`. Throws UsageError for options that cannot be used, DataError where there
  // are fewer than two classes.
  ImageClassification(data::ImageData train, data::ImageData valid,
                      const ImageClassificationOptions& options);

  // Goes on with a model whose sizes and labels are those of the data: of the options, those of the
  // model have no meaning. Throws UsageError where they are not.
  ImageClassification(data::ImageData train, data::ImageData valid,
                      const ImageClassificationOptions& options,
                      models::TrainedImageClassifier trained);

  std::string name() const override { return "image"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<ImageBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const ImageBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "accuracy");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("accuracy"), highest("macro_f1")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedImageClassifier& trained() const { return trained_; }
  const data::ImageData& train() const { return train_; }
  const data::ImageData& valid() const { return valid_; }

 private:
  void check_examples() const;
  void begin();

  ImageClassificationOptions options_;
  models::TrainedImageClassifier trained_;
  data::ImageData train_;
  data::ImageData valid_;
  std::vector<int64_t> lengths_;
  at::Tensor class_weights_;  // (classes); undefined: all are one
};

// These pictures as the model reads them: (B, channels, height, width), standardised.
at::Tensor image_batch(const models::TrainedImageClassifier& trained, const data::ImageData& data,
                       const std::vector<int64_t>& numbers);

// (N, classes). Pictures of the size and the channels of the model.
at::Tensor logits_of(const models::TrainedImageClassifier& trained, const data::ImageData& data,
                     const Progress& progress = {});

// Accuracy of what a sceptic would try first: the commonest class, and least squares from the
// pixels (where a picture has at most 4,096 numbers), fitted on at most 20,000 pictures that train.
std::vector<std::pair<std::string, double>> image_baselines(
    const models::TrainedImageClassifier& trained, const data::ImageData& train,
    const data::ImageData& measured);

// What the reading token hears of each patch through all layers: (rows, columns), a sum of 1. Of
// the weights of each layer, (H, N, N), the mean over the heads; half of each look stays where it
// is.                                  Abnar & Zuidema 2020, "Quantifying Attention Flow", rollout
at::Tensor patch_rollout(const std::vector<at::Tensor>& weights, const models::PatchGrid& grid);

}  // namespace heed::tasks
