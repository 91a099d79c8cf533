#include "heed/audio/log_mel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/audio/testing/oracles.h"
#include "heed/audio/testing/tone.h"
#include "heed/base/error.h"

namespace heed::audio {
namespace {

// float32 of numbers that torch worked out in double.
constexpr float kClose = 2e-6F;

TEST(LogMel, IsTorchaudios) {
  int count = 0;
  for (const auto& want : test::oracles("log_mel")) {
    const int64_t rate = want.at("sampling_rate");
    const LogMelOptions options{
        .sampling_rate = rate,
        .window = want.at("window"),
        .hop = want.at("hop"),
        .num_mel_bins = want.at("bins"),
        .low_freq = want.at("low"),
        .high_freq = want.at("high"),
        .scale = want.at("scale") == "htk" ? MelScale::kHtk : MelScale::kSlaney};
    const LogMel mel = log_mel(test::tone(rate, want.at("samples")), options);
    const auto values = want.at("values").get<std::vector<float>>();
    ASSERT_EQ(mel.values.size(), values.size());
    EXPECT_EQ(mel.frames * mel.bins, std::ssize(values));
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(mel.values[i], values[i], kClose * std::max(1.0F, std::abs(values[i]))) << i;
    }
    ++count;
  }
  EXPECT_EQ(count, 5);
}

// WhisperFeatureExtractor fills a sound up to 30 seconds and works in float32.
TEST(LogMel, IsWhispers) {
  for (const auto& want : test::oracles("whisper")) {
    Sound sound = test::tone(16'000, want.at("samples"));
    sound.samples.resize(30 * 16'000);
    const LogMel mel = log_mel(sound, whisper_options(want.at("bins")));
    ASSERT_EQ(mel.frames, want.at("frames").get<int64_t>());
    const auto first = want.at("first").get<std::vector<float>>();
    const auto last = want.at("last").get<std::vector<float>>();
    for (size_t i = 0; i < first.size(); ++i) ASSERT_NEAR(mel.values[i], first[i], 2e-5) << i;
    const size_t end = mel.values.size() - last.size();
    for (size_t i = 0; i < last.size(); ++i) ASSERT_NEAR(mel.values[end + i], last[i], 2e-5) << i;
  }
}

TEST(LogMel, ShortSoundsHaveOneFrame) {
  for (const int64_t count : {1, 2, 159}) {
    const LogMel mel = log_mel(test::tone(16'000, count), {});
    EXPECT_EQ(mel.frames, 1);
    EXPECT_TRUE(std::all_of(mel.values.begin(), mel.values.end(),
                            [](float value) { return std::isfinite(value); }));
  }
}

TEST(LogMel, ResamplesOtherRates) {
  const LogMel here = log_mel(test::tone(16'000, 8000), {.num_mel_bins = 20, .high_freq = 3500});
  const LogMel there = log_mel(test::tone(32'000, 16'000), {.num_mel_bins = 20, .high_freq = 3500});
  EXPECT_EQ(here.frames, there.frames);
}

TEST(LogMel, RefusesWhatCannotBe) {
  EXPECT_THROW(check({.window = 0}), UsageError);
  EXPECT_THROW(check({.hop = -1}), UsageError);
  EXPECT_THROW(check({.low_freq = 8000}), UsageError);
  EXPECT_THROW(check({.high_freq = 8001}), UsageError);
}

}  // namespace
}  // namespace heed::audio
