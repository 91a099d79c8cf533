// What comes before the messages of a process group: is the address right, does somebody listen
// there, does the meeting take too long. Each failure is said in one line.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "heed/base/error.h"
#include "heed/training/processes/process_group.h"

namespace heed::training {

// Throws UsageError where the name of the host does not resolve.
void check_address(const Rank& rank);

// Waits until somebody takes connections at the address. Throws IoError after `timeout`.
void wait_for_listener(const Rank& rank, std::chrono::seconds timeout);

// The first line of a message: torch adds where in its own code the error was thrown.
std::string first_line(const std::string& message);

// The same, or in words of what a user can do where it is known.
std::string reason_of(const std::exception& error);

// What `work` returns or throws, some pointer. Some waits of torch's store have no end (for an
// answer of a program that listens and never says anything): after `limit` an IoError says what is
// late, and the thread that still waits is left behind, for the process is about to end.
template <typename Work>
auto within(std::chrono::seconds limit, const std::string& late, Work work) {
  using Result = decltype(work());
  struct Outcome {
    std::promise<void> done;
    Result result;
  };
  auto outcome = std::make_shared<Outcome>();
  std::future<void> done = outcome->done.get_future();
  std::thread([outcome, work = std::move(work)] {
    try {
      outcome->result = work();
      outcome->done.set_value();
    } catch (...) {
      outcome->done.set_exception(std::current_exception());
    }
  }).detach();
  if (done.wait_for(limit) != std::future_status::ready) {
    throw IoError(text_of(late, " within ", limit.count(), " s"));
  }
  done.get();
  return std::move(outcome->result);
}

}  // namespace heed::training
