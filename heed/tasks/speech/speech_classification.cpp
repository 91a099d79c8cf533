#include "heed/tasks/speech/speech_classification.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "heed/base/error.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"

namespace heed::tasks {
namespace {

Source source_of_sounds(const char* name, const data::SoundData& data) {
  return source_of(name, [&](Checksum& sum) {
    sum.add(data.labels);
    for (const data::SoundExample& example : data.examples) {
      sum.add(example.label);
      sum.add(example.features.values.data(), example.features.values.size() * sizeof(float));
    }
  });
}

}  // namespace

SpeechClassification::SpeechClassification(data::SoundData train, data::SoundData valid,
                                           const SpeechClassificationOptions& options)
    : options_(options), train_(std::move(train)), valid_(std::move(valid)) {
  if (train_.labels.size() < 2) {
    throw DataError(train_.name,
                    text_of("expected at least 2 classes, found ", train_.labels.size()));
  }
  models::SpeechClassifierOptions model = options.model;
  model.num_classes = std::ssize(train_.labels);
  check_classes_fit(text_of(model.num_classes, " classes"),
                    model.num_classes * model.speech.transformer.d_model);
  check_logits_fit(std::ssize(valid_.examples), model.num_classes);
  trained_.labels = train_.labels;
  trained_.scale = scale_of(frames_of(train_.examples));
  std::vector<int64_t> counts(train_.labels.size());
  for (const data::SoundExample& example : train_.examples) {
    lengths_.push_back(example.features.frames);
    ++counts[static_cast<size_t>(example.label)];
  }
  class_weights_ = class_weights(options.class_weight, counts);
  trained_.model = std::make_shared<models::SpeechClassifier>(model);
}

std::vector<Source> SpeechClassification::sources() const {
  return {source_of_sounds("training data", train_), source_of_sounds("validation data", valid_)};
}

std::unique_ptr<SoundBatch> SpeechClassification::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<SoundBatch>(std::move(examples));
  std::vector<const audio::LogMel*> sounds;
  std::vector<int64_t> targets;
  for (const data::SoundExample* example : chosen(train_.examples, batch->examples)) {
    sounds.push_back(&example->features);
    targets.push_back(example->label);
  }
  batch->sounds = frame_batch(sounds, trained_.scale);
  batch->targets = at::tensor(targets, at::kLong);
  return batch;
}

Loss SpeechClassification::loss_of(const SoundBatch& prepared) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor frames = augmented(prepared.sounds, options_.augmentation).to(device);
  const at::Tensor targets = prepared.targets.to(device);
  const at::Tensor logits = trained_.model->forward(frames, prepared.sounds.lengths.to(device));
  return class_loss(logits, targets, class_weights_, options_.label_smoothing,
                    prepared.sounds.lengths.sum().item<int64_t>());
}

Metrics SpeechClassification::validate(const Progress& progress) {
  return speech_scores(valid_, speech_logits(trained_, frames_of(valid_.examples), progress))
      .metrics;
}

void SpeechClassification::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

at::Tensor speech_logits(const models::TrainedSpeechClassifier& trained,
                         const std::vector<const audio::LogMel*>& sounds,
                         const Progress& progress) {
  const c10::InferenceMode inference;
  at::Tensor logits = at::empty({std::ssize(sounds), std::ssize(trained.labels)});
  for_each_frame_batch(sounds, trained.scale, device_of(*trained.model), progress,
                       [&](const std::vector<int64_t>& numbers, const FrameBatch& batch) {
                         logits.index_copy_(
                             0, at::tensor(numbers, at::kLong),
                             trained.model->forward(batch.frames, batch.lengths).cpu());
                       });
  return logits;
}

ClassificationScores speech_scores(const data::SoundData& data, const at::Tensor& logits) {
  check_usage(!data.examples.empty(), data.name, ": expected at least one sound, got none");
  std::vector<int32_t> classes;
  for (const data::SoundExample& example : data.examples) classes.push_back(example.label);
  return scores_of_logits(logits, classes);
}

}  // namespace heed::tasks
