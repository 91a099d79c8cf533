#include "heed/tasks/speech_classification.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "heed/base/error.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/batches.h"
#include "heed/tasks/sources.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationBatch = 32;

struct SoundBatch final : Batch {
  using Batch::Batch;
  FrameBatch sounds;
  at::Tensor targets;  // (B)
};

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

std::vector<const audio::LogMel*> frames_of(const std::vector<data::SoundExample>& examples) {
  std::vector<const audio::LogMel*> frames;
  for (const data::SoundExample& example : examples) frames.push_back(&example.features);
  return frames;
}

SpeechClassification::SpeechClassification(data::SoundData train, data::SoundData valid,
                                           const SpeechClassificationOptions& options)
    : options_(options), train_(std::move(train)), valid_(std::move(valid)) {
  if (train_.labels.size() < 2) {
    throw DataError(train_.name,
                    text_of("expected at least 2 classes, found ", train_.labels.size()));
  }
  models::SpeechClassifierOptions model = options.model;
  model.num_classes = std::ssize(train_.labels);
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

std::unique_ptr<Batch> SpeechClassification::prepare(std::vector<int64_t> examples) const {
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

Loss SpeechClassification::loss(const Batch& batch) {
  const auto& prepared = static_cast<const SoundBatch&>(batch);
  const at::Device device = device_of(*trained_.model);
  const at::Tensor frames = augmented(prepared.sounds, options_.augmentation).to(device);
  const at::Tensor targets = prepared.targets.to(device);
  const at::Tensor logits = trained_.model->forward(frames, prepared.sounds.lengths.to(device));
  const auto tokens = prepared.sounds.lengths.sum().item<int64_t>();
  if (!class_weights_.defined()) {
    return {.value =
                heed::cross_entropy(logits, targets, {.label_smoothing = options_.label_smoothing}),
            .tokens = tokens,
            .weight = static_cast<double>(targets.size(0))};
  }
  const at::Tensor losses = heed::cross_entropy(
      logits, targets,
      {.label_smoothing = options_.label_smoothing, .reduction = Reduction::kNone});
  return weighted_loss(losses, class_weights_.to(device).index_select(0, targets), tokens);
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
  const at::Device device = device_of(*trained.model);
  std::vector<int64_t> lengths;
  for (const audio::LogMel* sound : sounds) lengths.push_back(sound->frames);
  at::Tensor logits = at::empty({std::ssize(sounds), std::ssize(trained.labels)});
  for_each_batch(lengths, kEvaluationBatch, progress, [&](const std::vector<int64_t>& numbers) {
    std::vector<const audio::LogMel*> some;
    for (const int64_t number : numbers) some.push_back(sounds[static_cast<size_t>(number)]);
    const FrameBatch batch = frame_batch(some, trained.scale).to(device);
    logits.index_copy_(0, at::tensor(numbers, at::kLong),
                       trained.model->forward(batch.frames, batch.lengths).cpu());
  });
  return logits;
}

ClassificationScores speech_scores(const data::SoundData& data, const at::Tensor& logits) {
  check_usage(!data.examples.empty(), data.name, ": expected at least one sound, got none");
  const at::Tensor losses = -at::log_softmax(logits.to(at::kDouble), 1);
  const at::Tensor best = logits.argmax(1);
  metrics::ConfusionMatrix confusion(logits.size(1));
  double loss = 0;
  for (size_t i = 0; i < data.examples.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const int64_t label = data.examples[i].label;
    loss += losses[row][label].item<double>();
    confusion.add(label, best[row].item<int64_t>());
  }
  const auto count = static_cast<double>(data.examples.size());
  return {.metrics = {{"loss", loss / count},
                      {"accuracy", confusion.accuracy()},
                      {"macro_f1", confusion.macro_f1()},
                      {"examples", count}},
          .confusion = confusion};
}

}  // namespace heed::tasks
