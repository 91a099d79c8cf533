#include "heed/training/process_group.h"

#include <ATen/ATen.h>

// What the Gloo headers of torch's wheel are written for, but its own macros leave out.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "heed/base/error.h"

namespace heed::training {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The number in the first of these variables that is set.
std::optional<int> number_from(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    int value = 0;
    const std::string_view all(text);
    const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
    check_usage(error == std::errc() && end == all.data() + all.size() && value >= 0,
                "environment: ", name, ": expected a number, got '", text, "'");
    return value;
  }
  return std::nullopt;
}

c10::intrusive_ptr<c10d::TCPStore> open_store(const Rank& rank, bool serve, seconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = rank.port;
  options.isServer = serve;
  options.numWorkers = static_cast<size_t>(rank.size);
  options.waitWorkers = false;
  options.timeout = timeout;
  return c10::make_intrusive<c10d::TCPStore>(rank.address, options);
}

// Counts in the store that each process keeps moving, and what this process sees of the others.
class Heartbeats {
 public:
  Heartbeats(const Rank& rank, seconds timeout)
      : rank_(rank),
        store_(open_store(rank, false, timeout)),
        seen_(static_cast<size_t>(rank.size)),
        thread_([this] { beat(); }) {}

  ~Heartbeats() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  // The process that is gone; −1: none that is known.
  int dead() const { return dead_; }

 private:
  struct Seen {
    int64_t count = -1;
    Clock::time_point when = Clock::now();
  };

  void beat() {
    std::unique_lock lock(mutex_);
    while (!ended_ && dead_ < 0) {
      lock.unlock();
      look();
      lock.lock();
      changed_.wait_for(lock, milliseconds(500), [this] { return ended_; });
    }
  }

  void look() {
    try {
      store_->add(key(rank_.rank), 1);
      if (store_->check({kDead})) {  // somebody else saw it first
        const std::vector<uint8_t> name = store_->get(kDead);
        dead_ = std::stoi(std::string(name.begin(), name.end()));
        return;
      }
      for (int other = 0; other < rank_.size; ++other) {
        Seen& seen = seen_[static_cast<size_t>(other)];
        const int64_t count = other == rank_.rank ? 0 : store_->add(key(other), 0);
        if (other == rank_.rank || count != seen.count) {
          seen = {count, Clock::now()};
        } else if (Clock::now() - seen.when > ProcessGroup::kPatience) {
          const std::string name = std::to_string(other);
          store_->set(kDead, std::vector<uint8_t>(name.begin(), name.end()));
          dead_ = other;
          return;
        }
      }
    } catch (const std::exception&) {
      dead_ = 0;  // rank 0 keeps the store
    }
  }

  static constexpr const char* kDead = "heed/dead";
  static std::string key(int rank) { return "heed/alive/" + std::to_string(rank); }

  Rank rank_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  std::vector<Seen> seen_;
  std::atomic<int> dead_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace

std::optional<Rank> rank_from_environment() {
  const auto size = number_from({"WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"});
  if (!size || *size <= 1) return std::nullopt;
  const auto rank = number_from({"RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK"});
  check_usage(rank.has_value(), "environment: expected RANK beside WORLD_SIZE, found none");
  check_usage(*rank < *size, "environment: expected a RANK below WORLD_SIZE (", *size, "), got ",
              *rank);
  Rank found{.rank = *rank, .size = *size};
  found.local_rank =
      number_from({"LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"}).value_or(*rank);
  found.local_size =
      number_from({"LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"})
          .value_or(*size);
  const char* address = std::getenv("MASTER_ADDR");
  check_usage(address != nullptr,
              "environment: expected MASTER_ADDR beside WORLD_SIZE (where rank "
              "0 runs), found none");
  found.address = address;
  const auto port = number_from({"MASTER_PORT"});
  check_usage(port.has_value() && *port > 0 && *port < 65'536,
              "environment: expected MASTER_PORT from 1 to 65535 beside WORLD_SIZE, found ",
              port ? std::to_string(*port) : "none");
  found.port = static_cast<uint16_t>(*port);
  return found;
}

struct ProcessGroup::Connection {
  Connection(const Rank& r, seconds timeout) : rank(r) {
    store = open_store(rank, rank.rank == 0, timeout);
    heartbeats = std::make_unique<Heartbeats>(rank, timeout);
    // Gloo's own limit is longer than any step: who is gone, the heartbeats say.
    auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::hours(24));
    options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    store->setTimeout(timeout);
    gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank.rank, rank.size, options);
  }

  // Waits, and looks now and then whether somebody is gone.
  void finish(const c10::intrusive_ptr<c10d::Work>& work) {
    for (;;) {
      try {
        work->wait(milliseconds(1000));
        return;
      } catch (const std::exception& error) {
        if (!work->isCompleted()) {  // the second is over
          if (heartbeats->dead() >= 0) fail("");
          continue;
        }
        fail(error.what());
      }
    }
  }

  // A connection that breaks does not say whose it was: the heartbeats soon do.
  [[noreturn]] void fail(const std::string& why) {
    broken = true;
    const auto until = Clock::now() + kPatience + seconds(3);
    while (heartbeats->dead() < 0 && Clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(100));
    }
    const int dead = heartbeats->dead();
    if (dead < 0) throw IoError("process group: a connection broke: " + why);
    // The store ends with rank 0: the others have to read first who is gone.
    if (rank.rank == 0) std::this_thread::sleep_for(seconds(2));
    throw IoError(text_of("process group: rank ", dead, " of ", rank.size,
                          " has ended or does not answer; this is rank ", rank.rank,
                          ". Start all processes again; with --resume they go on from the last "
                          "checkpoint"));
  }

  // Rank 0 keeps the store, so it is the last to leave.
  void leave() {
    try {
      store->setTimeout(seconds(10));
      if (rank.rank != 0) {
        store->add("heed/left", 1);
        return;
      }
      const auto until = Clock::now() + seconds(5);
      while (store->add("heed/left", 0) < rank.size - 1 && Clock::now() < until) {
        std::this_thread::sleep_for(milliseconds(5));
      }
    } catch (const std::exception&) {  // the others are gone already
    }
  }

  Rank rank;
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::unique_ptr<Heartbeats> heartbeats;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  bool broken = false;
};

ProcessGroup::ProcessGroup(const Rank& rank, seconds timeout) {
  check_usage(rank.size > 0 && rank.rank >= 0 && rank.rank < rank.size,
              "process group: expected a rank below ", rank.size, ", got ", rank.rank);
  try {
    connection_ = std::make_shared<Connection>(rank, timeout);
  } catch (const std::exception& error) {
    throw IoError(text_of("process group: rank ", rank.rank, " of ", rank.size,
                          " could not meet the others at ", rank.address, ':', rank.port,
                          " within ", timeout.count(),
                          " s: ", std::string(error.what()).substr(0, 200)));
  }
}

ProcessGroup::~ProcessGroup() {
  if (!connection_->broken) {
    connection_->heartbeats.reset();
    connection_->leave();
    return;
  }
  // Gloo would wait in its destructor for what will never come; the process is about to end.
  new std::shared_ptr<Connection>(connection_);
}

int ProcessGroup::rank() const { return connection_->rank.rank; }
int ProcessGroup::size() const { return connection_->rank.size; }

struct ProcessGroup::Pending::State {
  std::shared_ptr<Connection> connection;
  std::vector<at::Tensor> tensors;
  c10::intrusive_ptr<c10d::Work> work;
};

void ProcessGroup::Pending::wait() {
  if (!state_) return;
  const auto state = std::exchange(state_, nullptr);
  state->connection->finish(state->work);
}

ProcessGroup::Pending ProcessGroup::sum_later(at::Tensor values) {
  Pending pending;
  pending.state_ = std::make_shared<Pending::State>();
  pending.state_->connection = connection_;
  pending.state_->tensors = {std::move(values)};
  try {
    pending.state_->work = connection_->gloo->allreduce(pending.state_->tensors);
  } catch (const std::exception& error) {
    connection_->fail(error.what());
  }
  return pending;
}

void ProcessGroup::sum(at::Tensor values) { sum_later(std::move(values)).wait(); }

void ProcessGroup::broadcast(at::Tensor values) {
  std::vector<at::Tensor> tensors = {std::move(values)};
  c10::intrusive_ptr<c10d::Work> work;
  try {
    work = connection_->gloo->broadcast(tensors);
  } catch (const std::exception& error) {
    connection_->fail(error.what());
  }
  connection_->finish(work);
}

std::string ProcessGroup::broadcast(const std::string& text) {
  at::Tensor length = at::full({1}, static_cast<int64_t>(text.size()), at::kLong);
  broadcast(length);
  at::Tensor bytes = at::zeros({length.item<int64_t>()}, at::kByte);
  if (bytes.numel() == 0) return {};
  if (is_first()) std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
  broadcast(bytes);
  return {static_cast<const char*>(bytes.const_data_ptr()), static_cast<size_t>(bytes.numel())};
}

}  // namespace heed::training
