#include "heed/cli/writing/subtitles.h"

#include <gtest/gtest.h>

#include <vector>

namespace heed::cli {
namespace {

const std::vector<Subtitle> kTwo = {{0, 1.5, "And so"}, {3661.25, 3662.0004, "a --> b\nc"}};

TEST(Subtitles, AreWebVtt) {
  EXPECT_EQ(vtt_text(kTwo),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nAnd so\n\n"
            "01:01:01.250 --> 01:01:02.000\na -> b c\n\n");
  EXPECT_EQ(vtt_text({}), "WEBVTT\n\n");
}

TEST(Subtitles, AreSubRip) {
  EXPECT_EQ(srt_text(kTwo),
            "1\n00:00:00,000 --> 00:00:01,500\nAnd so\n\n"
            "2\n01:01:01,250 --> 01:01:02,000\na -> b c\n\n");
}

}  // namespace
}  // namespace heed::cli
