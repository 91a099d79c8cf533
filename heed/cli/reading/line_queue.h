// Lines of a file or a pipe, read ahead.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "heed/data/rows.h"

namespace heed::cli {

// Lines read by a thread of its own. Of a pipe or a terminal, whoever takes them gets all that have
// arrived: one line is answered at once, many are answered in batches. A file comes in batches that
// are as large as may be.
class LineQueue {
 public:
  // `lines` must outlive the queue, and is its own until it is gone.
  explicit LineQueue(data::TextLines& lines);
  ~LineQueue();
  LineQueue(const LineQueue&) = delete;
  LineQueue& operator=(const LineQueue&) = delete;

  struct Line {
    std::optional<std::string> text;  // none: it is no text, which `lines` reported
    int64_t number = 0;
  };

  // Waits for at least one line; empty at the end of the input. Throws what reading threw once the
  // lines before it are taken.
  std::vector<Line> take();

 private:
  static constexpr size_t kMost = 1024;  // lines of a batch, and in waiting

  void read();
  bool put(Line line);  // false: nobody takes them any more
  bool enough() const { return ended_ || waiting_.size() >= (lines_.is_whole() ? kMost : 1); }

  data::TextLines& lines_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Line> waiting_;
  std::exception_ptr error_;
  bool ended_ = false;
  bool abandoned_ = false;
};

}  // namespace heed::cli
