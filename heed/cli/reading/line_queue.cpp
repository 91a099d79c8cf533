#include "heed/cli/reading/line_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace heed::cli {

LineQueue::LineQueue(data::TextLines& lines) : lines_(lines) {
  thread_ = std::thread([this] { read(); });
}

LineQueue::~LineQueue() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::vector<LineQueue::Line> LineQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return enough(); });
  const size_t count = std::min(waiting_.size(), kMost);
  std::vector<Line> taken(
      std::make_move_iterator(waiting_.begin()),
      std::make_move_iterator(waiting_.begin() + static_cast<std::ptrdiff_t>(count)));
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  if (taken.empty() && error_) std::rethrow_exception(error_);
  changed_.notify_all();
  return taken;
}

bool LineQueue::put(Line line) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kMost || abandoned_; });
  if (abandoned_) return false;
  waiting_.push_back(std::move(line));
  changed_.notify_all();
  return true;
}

void LineQueue::read() {
  try {
    int64_t last = 0;
    std::string line;
    for (bool more = true; more;) {
      more = lines_.next(line);
      // Lines that are no text were passed over; each keeps its place.
      const int64_t now = lines_.line_number() + (more ? 0 : 1);
      while (++last < now) {
        if (!put({.text = std::nullopt, .number = last})) return;
      }
      if (more && !put({.text = line, .number = now})) return;
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace heed::cli
