// How a kernel asks for threads, without knowing whose they are (torch's pool, or none).
#pragma once

#include <functional>

namespace heed {

class Workers {
 public:
  virtual ~Workers() = default;

  // How many workers `run` may use at most, at least 1.
  virtual int count() const = 0;

  // Calls body(worker) on this thread and on those that come in time, each at most once, with other
  // numbers in [0, count()): a body takes work until none is left, and one alone may do all of it.
  // Returns when all have returned; the first exception that a body throws is thrown again here.
  virtual void run(const std::function<void(int worker)>& body) const = 0;
};

// Runs everything on the calling thread.
class OneWorker final : public Workers {
 public:
  int count() const override { return 1; }
  void run(const std::function<void(int)>& body) const override { body(0); }
};

}  // namespace heed
