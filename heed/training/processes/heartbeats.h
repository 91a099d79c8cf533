// Who of a group of processes is still there: counts in a shared store that each of them keeps
// moving.
#pragma once

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "heed/training/processes/process_group.h"

namespace heed::training {

// A connection to the store, which rank 0 serves.
c10::intrusive_ptr<c10d::TCPStore> open_store(const Rank& rank, bool serve,
                                              std::chrono::seconds timeout);

class Heartbeats {
 public:
  Heartbeats(const Rank& rank, std::chrono::seconds timeout);
  ~Heartbeats();
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  // The process that is gone; −1: none that is known.
  int dead() const { return dead_; }

  // How often this process has looked after the others so far. A rank 0 that is frozen lets the
  // look at it never end: whoever waits for the group sees that this number stands still.
  int64_t looks() const { return looks_; }
  void give_up_on_first() { dead_ = 0; }

  // Of a count in the store, above 0 once the process has come.
  static std::string key(int rank) { return "heed/alive/" + std::to_string(rank); }

 private:
  static constexpr std::chrono::milliseconds kInterval{500};

  // Looks and not a clock: while this process or the whole machine sleeps, nobody is late.
  struct Seen {
    int64_t count = -1;
    int looks = 0;  // since it was another one
  };

  void beat();
  void look();

  static constexpr const char* kDead = "heed/dead";

  Rank rank_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  std::vector<Seen> seen_;
  std::atomic<int> dead_ = -1;
  std::atomic<int64_t> looks_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace heed::training
