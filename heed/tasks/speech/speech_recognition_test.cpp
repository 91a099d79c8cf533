#include "heed/tasks/speech/speech_recognition.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/models/testing/test_speech.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Words of 16 frames each, told by the bands that are loud: "a" the lower, "ba" the upper half.
data::SoundExample sound_of(const std::vector<int>& words) {
  data::SoundExample example;
  const auto frames = static_cast<int64_t>(16 * words.size());
  at::Tensor values = at::randn({frames, 6}) * 0.3;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto begin = static_cast<int64_t>(16 * i);
    const int64_t low = words[i] == 0 ? 0 : 3;
    values.slice(0, begin + 2, begin + 14).slice(1, low, low + 3).add_(3);
    example.entry.target += (i > 0 ? " " : "") + std::string(words[i] == 0 ? "a" : "ba");
  }
  const auto* first = values.const_data_ptr<float>();
  example.features = {.frames = frames, .bins = 6, .values = {first, first + values.numel()}};
  return example;
}

data::SoundData sounds(int count = 12) {
  data::SoundData data{.name = "sounds", .labels = {}, .examples = {}};
  for (int i = 0; i < count; ++i) data.examples.push_back(sound_of({i % 2, i / 2 % 2, i / 4 % 2}));
  return data;
}

SpeechRecognitionOptions small_speech_recognition() {
  SpeechRecognitionOptions options;
  options.augmentation = {.time_masks = 0, .frequency_masks = 0, .frequency_warp = 0};
  options.model.speech = models::small_speech_that_learns(6);
  options.model.speech.subsampling = 2;
  return options;
}

// Steps of Adam (Kingma & Ba 2015) on all sounds: plain descent stays for long where CTC says
// nothing at all.
void learn_by_adam(SpeechRecognition& task, int steps) {
  std::vector<int64_t> all;
  for (size_t i = 0; i < task.train_lengths().size(); ++i) all.push_back(static_cast<int64_t>(i));
  std::vector<at::Tensor> means, squares;
  for (int step = 1; step <= steps; ++step) {
    task.module().zero_grad();
    task.loss(*task.prepare(all)).value.backward();
    const c10::AutoGradMode no_gradients(false);
    size_t i = 0;
    for (at::Tensor& p : task.module().parameters()) {
      if (means.size() == i) means.push_back(at::zeros_like(p));
      if (squares.size() == i) squares.push_back(at::zeros_like(p));
      means[i].mul_(0.9).add_(p.grad(), 0.1);
      squares[i].mul_(0.99).addcmul_(p.grad(), p.grad(), 0.01);
      const at::Tensor size = (squares[i] / (1 - std::pow(0.99, step))).sqrt_().add_(1e-8);
      p.sub_(means[i++] / (1 - std::pow(0.9, step)) / size,
             0.01 * (1 - static_cast<double>(step) / (steps + 1)));
    }
  }
  task.module().eval();
}

TEST(SpeechRecognition, LearnsWhatIsSaidAndWhen) {
  at::manual_seed(1);
  SpeechRecognitionOptions options = small_speech_recognition();
  options.units = "words";
  SpeechRecognition task(sounds(96), sounds(), options);
  EXPECT_THAT(task.trained().tokens, ElementsAre("", "a", "ba"));
  learn_by_adam(task, 250);
  const Metrics metrics = task.validate({});
  expect_all(SpeechRecognition::watchable(), metrics);
  EXPECT_FALSE(task.watched("").higher_is_better);
  EXPECT_FALSE(task.watched("cer").higher_is_better);
  EXPECT_LT(metric(metrics, "wer"), 0.1);
  EXPECT_LT(metric(metrics, "cer"), 0.1);
  const data::SoundExample sound = sound_of({1, 0, 1});
  const auto said = transcribe(task.trained(), {&sound.features}).front();
  ASSERT_EQ(said.text, "ba a ba");
  ASSERT_EQ(said.words.size(), 3U);
  EXPECT_EQ(said.words[1].text, "a");
  // Within the word, or a step beside it.
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_GE(said.words[i].begin, 0.16 * static_cast<double>(i) - 0.041);
    EXPECT_LE(said.words[i].end, 0.16 * static_cast<double>(i + 1) + 0.041);
    EXPECT_LT(said.words[i].begin, said.words[i].end);
  }
}

TEST(SpeechRecognition, TextsBecomeCharacters) {
  at::manual_seed(2);
  const SpeechRecognition task(sounds(), sounds(), small_speech_recognition());
  EXPECT_THAT(task.trained().tokens, ElementsAre("", " ", "a", "b"));
  EXPECT_THAT(speech_tokens(task.trained(), "  ba\t  xa "), ElementsAre(3, 2, 1, 2));
  EXPECT_TRUE(task.warnings().empty());
}

TEST(SpeechRecognition, SoundsThatAreTooShortAreLeftOut) {
  at::manual_seed(3);
  data::SoundData data = sounds();
  data.examples[0].entry.target = std::string(30, 'a');
  const SpeechRecognition task(data, sounds(), small_speech_recognition());
  ASSERT_EQ(task.warnings().size(), 1U);
  EXPECT_THAT(task.warnings()[0], HasSubstr("1 of 12 sounds are too short"));
  EXPECT_EQ(task.train_lengths().size(), 11U);
  data.examples.resize(1);
  EXPECT_THROW(SpeechRecognition(data, sounds(), small_speech_recognition()), DataError);
}

}  // namespace
}  // namespace heed::tasks
