#include "heed/base/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "heed/base/format.h"

namespace heed {
namespace {

constexpr int kLongestBar = 30;
constexpr int kShortestBar = 10;  // a shorter one says nothing that the percentage does not

// A column for each character: what is shown here has no wide ones.
int columns(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string cut_to(const std::string& text, int width) {
  if (columns(text) <= width) return text;
  size_t at = 0;
  for (int column = 0; at < text.size(); ++at) {
    if ((text[at] & 0xC0) == 0x80) continue;
    if (column++ == std::max(width - 1, 0)) break;
  }
  return text.substr(0, at) + (width > 0 ? "…" : "");
}

std::string bar_text(double share, int width) {
  const int filled = static_cast<int>(std::lround(share * width));
  std::string text;
  for (int i = 0; i < width; ++i) text += i < filled ? "━" : "─";
  return text;
}

}  // namespace

int terminal_width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* said = std::getenv("COLUMNS");
  const int columns = said != nullptr ? std::atoi(said) : 0;
  return columns > 0 ? columns : 80;
}

std::string line_text(const ProgressLine& line, int width) {
  // A character in the last column already makes some terminals go to the next line.
  const int room = std::max(width - 1, 0);
  const std::string note = line.note.empty() ? "" : "  " + line.note;
  std::string text = line.title + ' ';
  if (line.share >= 0) {
    const int bar = std::min(kLongestBar, room - columns(text + line.behind + note));
    if (bar >= kShortestBar) text += bar_text(line.share, bar);
  }
  return cut_to(text + line.behind + note, room);
}

bool colors_wanted(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (terminal != nullptr && std::strcmp(terminal, "dumb") == 0) return false;
  return isatty(descriptor) == 1;
}

ProgressBar::ProgressBar(std::string title, int64_t total)
    : title_(std::move(title)), total_(total), shown_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(int64_t done, const std::string& note) {
  if (!shown_) return;
  const auto now = Clock::now();
  if (drawn_ && done != total_ && now - last_draw_ < std::chrono::milliseconds(100)) return;
  last_draw_ = now;
  drawn_ = true;

  if (first_done_ < 0) first_done_ = done;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  ProgressLine line{.title = title_, .behind = formatted("%lld", static_cast<long long>(done))};
  if (total_ > 0) {
    line.share = std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0., 1.);
    line.behind = formatted(" %3.0f%%", line.share * 100);
    const auto done_here = static_cast<double>(done - first_done_);
    if (done_here > 0.01 * static_cast<double>(total_) && line.share < 1) {
      const auto left = static_cast<double>(total_ - done);
      line.behind += "  " + duration_text(elapsed * left / done_here) + " left";
    }
  }
  line.note = note;
  std::fprintf(stderr, "\r%s\033[K", line_text(line, terminal_width(STDERR_FILENO)).c_str());
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!shown_ || !drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::lround(seconds));
  if (whole < 60) return formatted("%lld s", whole);
  if (whole < 3600) return formatted("%lld min %02lld s", whole / 60, whole % 60);
  return formatted("%lld h %02lld min", whole / 3600, whole % 3600 / 60);
}

std::string bytes_text(double bytes) {
  if (bytes < 1e6) return formatted("%.1f kB", bytes / 1e3);
  if (bytes < 1e9) return formatted("%.1f MB", bytes / 1e6);
  return formatted("%.2f GB", bytes / 1e9);
}

}  // namespace heed
