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

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string bar_text(double share, int width) {
  const int filled = static_cast<int>(std::lround(share * width));
  std::string text;
  for (int i = 0; i < width; ++i) text += i < filled ? "━" : "─";
  return text;
}

}  // namespace

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
  std::string line = title_;
  if (total_ > 0) {
    const double share =
        std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0., 1.);
    const int width = std::clamp(terminal_width() - 60, 10, 30);
    line += ' ' + bar_text(share, width) + formatted(" %3.0f%%", share * 100);
    const auto done_here = static_cast<double>(done - first_done_);
    if (done_here > 0.01 * static_cast<double>(total_) && share < 1) {
      const auto left = static_cast<double>(total_ - done);
      line += "  " + duration_text(elapsed * left / done_here) + " left";
    }
  } else {
    line += formatted(" %lld", static_cast<long long>(done));
  }
  if (!note.empty()) line += "  " + note;
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
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
