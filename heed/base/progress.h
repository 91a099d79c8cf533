// A progress bar on stderr, drawn only where stderr is a terminal. The library itself never makes
// one: it reports to whoever listens (see training/), and the program draws.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace heed {

// Whether escape codes and redrawn lines are wanted on this file descriptor: a terminal, and
// neither NO_COLOR nor TERM=dumb.
bool colors_wanted(int descriptor);

// The columns of the terminal behind a file descriptor, as they are now; where it is none, what the
// variable COLUMNS says, else 80.
int terminal_width(int descriptor);

// A bar that is `share` full with what stands around it, in fewer than `width` columns: first the
// bar gives way, then the end of the line is cut.
struct ProgressLine {
  std::string title;
  double share = -1;      // below 0: no bar
  std::string behind;     // "  45%  3 min 05 s left" or a count
  std::string note = {};  // "loss 0.1234"
};
std::string line_text(const ProgressLine& line, int width);

class ProgressBar {
 public:
  // A bar over `total` units with `title` in front; `total` 0 shows a count without a bar.
  ProgressBar(std::string title, int64_t total);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Shows that `done` units are finished, and `note` after the bar. Redraws ten times a second at
  // most, so it may be called after every step.
  void update(int64_t done, const std::string& note = "");

  // Clears the bar so that other text can be written; the next update draws it again.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string title_;
  int64_t total_;
  bool shown_;  // stderr is a terminal
  bool drawn_ = false;
  int64_t first_done_ = -1;  // of the first update: a run that goes on begins in the middle
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_draw_;
};

// "2 s", "3 min 05 s", "1 h 02 min".
std::string duration_text(double seconds);

// "12.3 MB", "1.50 GB".
std::string bytes_text(double bytes);

}  // namespace heed
