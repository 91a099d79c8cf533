// Lines of a file or a pipe, read ahead.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
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
  LineQueue(const std::string& file, data::Encoding encoding);
  ~LineQueue();
  LineQueue(const LineQueue&) = delete;
  LineQueue& operator=(const LineQueue&) = delete;

  // Waits for at least one line; empty at the end of the input. Throws what reading threw once the
  // lines before it are taken: DataError for a line that is no text.
  std::vector<std::string> take();

 private:
  static constexpr size_t kMost = 1024;  // lines of a batch, and in waiting

  void read();
  bool enough() const { return ended_ || lines_.size() >= (is_file_ ? kMost : 1); }

  bool is_file_;
  data::DataReport report_;
  data::TextLines reader_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::exception_ptr error_;
  bool ended_ = false;
  bool abandoned_ = false;
};

}  // namespace heed::cli
