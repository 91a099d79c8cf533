#include "heed/tasks/speech/speech_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/testing/test_speech.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Classes by which half of the bands is loud.
data::SoundData sounds(int64_t count) {
  data::SoundData data{.name = "sounds", .labels = {"high", "low"}, .examples = {}};
  for (int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<int32_t>(i % 2);
    data::SoundExample example{.label = label, .seconds = 0.3, .features = {}};
    example.features.frames = 20 + i % 7;
    example.features.bins = 8;
    const at::Tensor noise = at::randn({example.features.frames, 8});
    noise.slice(1, label == 1 ? 0 : 4, label == 1 ? 4 : 8).add_(2);
    const at::Tensor flat = noise.contiguous();
    const auto* values = flat.const_data_ptr<float>();
    example.features.values.assign(values, values + flat.numel());
    data.examples.push_back(std::move(example));
  }
  return data;
}

SpeechClassificationOptions small_speech_classification() {
  SpeechClassificationOptions options;
  options.augmentation = {.time_masks = 0, .frequency_masks = 0, .frequency_warp = 0};
  options.model.speech = models::small_speech_that_learns(8);
  return options;
}

std::vector<int64_t> all_of(int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(SpeechClassification, Learns) {
  for (const char* weight : {"none", "balanced"}) {
    at::manual_seed(1);
    SpeechClassificationOptions options = small_speech_classification();
    options.class_weight = weight;
    SpeechClassification task(sounds(24), sounds(16), options);
    EXPECT_EQ(task.train_lengths().size(), 24U);
    task.module().eval();
    const double before = metric(task.validate({}), "loss");
    task.module().train();
    learn(task, all_of(24), 80);
    const Metrics after = task.validate({});
    expect_all(SpeechClassification::watchable(), after);
    EXPECT_LT(metric(after, "loss"), before);
    EXPECT_GT(metric(after, "accuracy"), 0.9);
    EXPECT_EQ(metric(after, "examples"), 16);
  }
}

TEST(SpeechClassification, FramesAreStandardised) {
  at::manual_seed(2);
  const data::SoundData data = sounds(6);
  const auto scale = scale_of(frames_of(data.examples));
  const FrameBatch batch = frame_batch(frames_of(data.examples), scale);
  EXPECT_EQ(batch.frames.sizes(), at::IntArrayRef({6, 25, 8}));
  double sum = 0, squares = 0, count = 0;
  for (int64_t i = 0; i < 6; ++i) {
    const int64_t length = batch.lengths[i].item<int64_t>();
    const at::Tensor real = batch.frames[i].slice(0, 0, length).select(1, 3);
    sum += real.sum().item<double>();
    squares += real.square().sum().item<double>();
    count += static_cast<double>(length);
    EXPECT_TRUE((batch.frames[i].slice(0, length) == 0).all().item<bool>());
  }
  EXPECT_NEAR(sum / count, 0, 1e-5);
  EXPECT_NEAR(squares / count, 1, 1e-4);
}

TEST(SpeechClassification, OneClassIsRefused) {
  data::SoundData one = sounds(4);
  one.labels = {"high"};
  for (auto& example : one.examples) example.label = 0;
  EXPECT_THROW(SpeechClassification(one, one, small_speech_classification()), DataError);
}

// Its sources tell other data.
TEST(SpeechClassification, SourcesTellDataApart) {
  at::manual_seed(3);
  const data::SoundData data = sounds(4);
  data::SoundData other = data;
  other.examples[1].features.values[2] += 1;
  const SpeechClassification first(data, data, small_speech_classification()),
      second(data, other, small_speech_classification());
  EXPECT_EQ(first.sources()[0].checksum, second.sources()[0].checksum);
  EXPECT_NE(first.sources()[1].checksum, second.sources()[1].checksum);
}

}  // namespace
}  // namespace heed::tasks
