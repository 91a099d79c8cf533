#include "heed/cli/line_queue.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace heed::cli {
namespace {

bool is_regular_file(const std::string& file) {
  std::error_code ignored;  // what is wrong with it, reading says
  return std::filesystem::is_regular_file(file, ignored);
}

}  // namespace

LineQueue::LineQueue(const std::string& file, data::Encoding encoding)
    : is_file_(is_regular_file(file)), reader_(file, encoding, report_) {
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

std::vector<std::string> LineQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return enough(); });
  const size_t count = std::min(lines_.size(), kMost);
  std::vector<std::string> taken(
      std::make_move_iterator(lines_.begin()),
      std::make_move_iterator(lines_.begin() + static_cast<std::ptrdiff_t>(count)));
  lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(count));
  if (taken.empty() && error_) std::rethrow_exception(error_);
  changed_.notify_all();
  return taken;
}

void LineQueue::read() {
  try {
    std::string line;
    while (reader_.next(line)) {
      report_.throw_if_fatal();  // a line before this one was left out
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return lines_.size() < kMost || abandoned_; });
      if (abandoned_) return;
      lines_.push_back(line);
      changed_.notify_all();
    }
    report_.throw_if_fatal();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace heed::cli
