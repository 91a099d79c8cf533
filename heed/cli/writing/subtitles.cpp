#include "heed/cli/writing/subtitles.h"

#include <cmath>
#include <cstdint>

#include "heed/base/error.h"
#include "heed/base/format.h"

namespace heed::cli {
namespace {

// Of a text: what a line of a subtitle must not hold. WebVTT ends a cue at "-->", too.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\r' ? ' ' : c;
  for (size_t at = line.find("-->"); at != std::string::npos; at = line.find("-->")) {
    line.replace(at, 3, "->");
  }
  return line;
}

std::string span_text(const Subtitle& each, char point) {
  return clock_time(each.begin, point) + " --> " + clock_time(each.end, point) + '\n' +
         in_one_line(each.text) + "\n\n";
}

}  // namespace

std::string clock_time(double seconds, char before_milliseconds) {
  const auto all = static_cast<int64_t>(std::llround(seconds * 1000));
  return formatted("%02lld:%02lld:%02lld%c%03lld", static_cast<long long>(all / 3'600'000),
                   static_cast<long long>(all / 60'000 % 60),
                   static_cast<long long>(all / 1000 % 60), before_milliseconds,
                   static_cast<long long>(all % 1000));
}

std::string vtt_text(std::span<const Subtitle> subtitles) {
  std::string text = "WEBVTT\n\n";
  for (const Subtitle& each : subtitles) text += span_text(each, '.');
  return text;
}

std::string srt_text(std::span<const Subtitle> subtitles) {
  std::string text;
  int64_t number = 0;
  for (const Subtitle& each : subtitles) text += text_of(++number, '\n', span_text(each, ','));
  return text;
}

}  // namespace heed::cli
