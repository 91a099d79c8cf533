// What is said and when, as subtitles.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace heed::cli {

struct Subtitle {
  double begin = 0;  // seconds
  double end = 0;
  std::string text;
};

// "00:01:02.500"; of SRT with a comma.
std::string clock_time(double seconds, char before_milliseconds = '.');

// A file of WebVTT, or of SubRip.
std::string vtt_text(std::span<const Subtitle> subtitles);
std::string srt_text(std::span<const Subtitle> subtitles);

}  // namespace heed::cli
