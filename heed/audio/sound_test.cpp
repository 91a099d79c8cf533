#include "heed/audio/sound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <limits>

#include "heed/audio/testing/tone.h"
#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed::audio {
namespace {

using heed::test::Folder;
using heed::test::message_of;
using heed::test::spill;
using testing::HasSubstr;

void write(const std::filesystem::path& file, const std::vector<float>& samples, int format,
           int channels = 1) {
  SF_INFO info{};
  info.samplerate = 16'000;
  info.channels = channels;
  info.format = format;
  SNDFILE* open = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_NE(open, nullptr) << sf_strerror(nullptr);
  sf_writef_float(open, samples.data(), std::ssize(samples) / channels);
  sf_close(open);
}

TEST(Sound, IsReadFromWavAndFlac) {
  const Folder folder;
  const Sound tone = test::tone(16'000, 40'000);
  spill(folder / "a.wav", test::wav(tone));
  write(folder / "a.flac", tone.samples, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  write(folder / "float.wav", tone.samples, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  for (const char* name : {"a.wav", "a.flac", "float.wav"}) {
    const Sound sound = read_sound(folder / name);
    EXPECT_EQ(sound.sampling_rate, 16'000);
    EXPECT_EQ(sound.seconds(), 2.5);
    ASSERT_EQ(sound.samples.size(), tone.samples.size());
    for (size_t i = 0; i < sound.samples.size(); i += 101) {
      EXPECT_NEAR(sound.samples[i], tone.samples[i], 1e-4);
    }
  }
}

TEST(Sound, ChannelsAreMixed) {
  const Folder folder;
  write(folder / "two.wav", {0.5, 0.25, -0.5, 0, 1, -1}, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2);
  EXPECT_EQ(read_sound(folder / "two.wav").samples, std::vector<float>({0.375, -0.25, 0}));
  spill(folder / "six.wav", test::wav(test::tone(8000, 100), 6));
  EXPECT_EQ(read_sound(folder / "six.wav").samples.size(), 100U);
}

TEST(Sound, WhatIsCutOffIsRefused) {
  const Folder folder;
  const Sound tone = test::tone(8000, 4000);
  const std::string whole = test::wav(tone);
  spill(folder / "cut.wav", whole.substr(0, 5000));
  const auto read = [&](const char* name) {
    return message_of<DataError>([&] { read_sound(folder / name); });
  };
  EXPECT_THAT(read("cut.wav"), HasSubstr("cut.wav: cut off: expected 8000 bytes"));
  write(folder / "a.flac", tone.samples, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const std::string flac = heed::test::slurp(folder / "a.flac");
  spill(folder / "cut.flac", flac.substr(0, flac.size() / 2));
  EXPECT_THAT(read("cut.flac"), HasSubstr("cut.flac: cut off or damaged"));
  for (size_t size = 0; size < 60; ++size) {
    spill(folder / "start.wav", whole.substr(0, size));
    EXPECT_THAT(read("start.wav"), HasSubstr("start.wav: ")) << size;
  }
}

TEST(Sound, WhatIsNoneIsRefused) {
  const Folder folder;
  const auto read = [&](const char* name) {
    return message_of<DataError>([&] { read_sound(folder / name); });
  };
  spill(folder / "text.wav", "this is no sound\n");
  EXPECT_THAT(read("text.wav"), HasSubstr("expected a sound (WAV, FLAC, Ogg"));
  spill(folder / "empty.wav", "");
  EXPECT_THAT(read("empty.wav"), HasSubstr("empty.wav: "));
  spill(folder / "none.wav", test::wav({.sampling_rate = 8000, .samples = {}}));
  EXPECT_THAT(read("none.wav"), HasSubstr("expected samples, found none"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  write(folder / "nan.wav", {0, 0.5, nan, 0}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  EXPECT_THAT(read("nan.wav"), HasSubstr("sample 3: expected a finite number"));
  EXPECT_THROW(read_sound(folder / "missing.wav"), MissingInputError);
  EXPECT_THROW(read_sound(folder.path()), MissingInputError);
}

TEST(Sound, WhatIsTooLongIsRefused) {
  const Folder folder;
  spill(folder / "long.wav", test::wav(test::tone(8000, 8001)));
  EXPECT_THAT(message_of<DataError>([&] { read_sound(folder / "long.wav", 1); }),
              HasSubstr("too long: expected at most 1 seconds, found 1.0"));
  EXPECT_EQ(read_sound(folder / "long.wav", 1.01).samples.size(), 8001U);
}

TEST(Sound, IsKnownByItsName) {
  EXPECT_TRUE(has_sound_name("a/b.WAV"));
  EXPECT_TRUE(has_sound_name("b.flac"));
  EXPECT_FALSE(has_sound_name("b.csv"));
  EXPECT_FALSE(has_sound_name("wav"));
}

}  // namespace
}  // namespace heed::audio
