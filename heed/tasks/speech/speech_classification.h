// Learning to give sounds their classes: spoken commands, and what else can be heard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/sounds/sound_data.h"
#include "heed/models/files/speech_classifier_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/speech/spec_augment.h"

namespace heed::tasks {

struct SpeechClassificationOptions {
  models::SpeechClassifierOptions model;  // classes are read from the data
  double label_smoothing = 0.1;           // Szegedy et al. 2016, section 7
  std::string class_weight = "none";
  SpecAugmentOptions augmentation = {};
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<SpeechClassificationOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::share_field("label_smoothing", "Share of the target spread over all classes"),
        o.label_smoothing);
  visit(class_weight_field("balanced: a sound counts the more, the rarer its class"),
        o.class_weight);
  visit_fields(o.augmentation, visit);
}

struct SoundBatch final : Batch {
  using Batch::Batch;
  FrameBatch sounds;
  at::Tensor targets;  // (B)
};

class SpeechClassification final : public TaskOf<SoundBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. Both parts have the classes of
  // `train`. Throws DataError for fewer than two classes.
  SpeechClassification(data::SoundData train, data::SoundData valid,
                       const SpeechClassificationOptions& options);

  std::string name() const override { return "speech"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<SoundBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const SoundBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "accuracy");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("accuracy"), highest("macro_f1")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedSpeechClassifier& trained() const { return trained_; }

 private:
  SpeechClassificationOptions options_;
  data::SoundData train_;
  data::SoundData valid_;
  models::TrainedSpeechClassifier trained_;
  at::Tensor class_weights_;  // undefined: all classes count the same
  std::vector<int64_t> lengths_;
};

// Logits (sounds, classes) float32 on the CPU, in the order of the sounds, in evaluation mode.
at::Tensor speech_logits(const models::TrainedSpeechClassifier& trained,
                         const std::vector<const audio::LogMel*>& sounds,
                         const Progress& progress = {});

// Loss (mean cross-entropy, nats), accuracy, macro_f1, examples of sounds whose classes are known
// and whose logits are these. Throws UsageError where there is none.
ClassificationScores speech_scores(const data::SoundData& data, const at::Tensor& logits);

// What a model hears of each.

}  // namespace heed::tasks
