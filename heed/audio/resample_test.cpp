#include "heed/audio/resample.h"

#include <gtest/gtest.h>

#include "heed/audio/testing/oracles.h"
#include "heed/audio/testing/tone.h"
#include "heed/base/error.h"

namespace heed::audio {
namespace {

TEST(Resample, IsTorchaudios) {
  int count = 0;
  for (const auto& want : test::oracles("resample")) {
    const Sound sound = test::tone(want.at("from"), want.at("samples"));
    const Sound found = resampled(sound, want.at("to"));
    const auto values = want.at("values").get<std::vector<float>>();
    ASSERT_EQ(found.samples.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(found.samples[i], values[i], 1e-6) << want.at("from") << ' ' << i;
    }
    ++count;
  }
  EXPECT_EQ(count, 6);
}

TEST(Resample, TheSameRateChangesNothing) {
  const Sound sound = test::tone(8000, 50);
  EXPECT_EQ(resampled(sound, 8000).samples, sound.samples);
  EXPECT_THROW(resampled(sound, 0), UsageError);
}

}  // namespace
}  // namespace heed::audio
