#include "heed/training/processes/process_group.h"

#include <ATen/ATen.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/training/processes/group_backends.h"
#include "heed/training/processes/heartbeats.h"
#include "heed/training/processes/meeting.h"
#include "heed/training/processes/no_pipe_signal.h"

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

// What a group and its parts share.
struct ProcessGroup::Session {
  Session(const Rank& r, seconds longest)
      : rank(r), timeout(longest), store(open_store(rank, rank.rank == 0, timeout)) {
    store->setTimeout(timeout);
    check_port();
    heartbeats = std::make_unique<Heartbeats>(rank, timeout);
    meet();
  }

  // Another training may serve a store at this port.
  void check_port() const {
    if (store->add(text_of("heed/came/", rank.rank), 1) == 1) return;
    throw IoError(text_of("a rank ", rank.rank, " is there already: another training uses this ",
                          "port; choose another MASTER_PORT"));
  }

  // Waits until all are there. Gloo would wait as long, but not say for whom.
  void meet() const {
    const auto until = Clock::now() + timeout;
    for (int other = 0; other < rank.size; ++other) {
      while (store->add(Heartbeats::key(other), 0) == 0) {
        if (Clock::now() > until) throw IoError(text_of("rank ", other, " did not come"));
        std::this_thread::sleep_for(milliseconds(20));
      }
    }
  }

  // A connection that breaks does not say whose it was: the heartbeats soon do.
  [[noreturn]] void fail(const std::string& why) {
    broken = true;
    constexpr milliseconds kPause(100);
    for (auto waited = kPause; heartbeats->dead() < 0 && waited < kPatience + seconds(5);
         waited += kPause) {
      std::this_thread::sleep_for(kPause);
    }
    const int dead = heartbeats->dead();
    if (dead < 0) throw IoError("process group: a connection broke: " + first_line(why));
    // The store ends with rank 0: the others have to read first who is gone.
    if (rank.rank == 0) std::this_thread::sleep_for(seconds(2));
    throw IoError(text_of("process group: rank ", dead, " of ", rank.size,
                          " has ended or does not answer; this is rank ", rank.rank,
                          ". Start all processes again; with --resume they go on from the last "
                          "checkpoint"));
  }

  // Rank 0 keeps the store, so it is the last to leave.
  void leave() {
    const NoPipeSignal quiet;
    heartbeats.reset();
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
  seconds timeout;
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::unique_ptr<Heartbeats> heartbeats;
  std::atomic<bool> broken = false;
  int parts = 0;
};

struct ProcessGroup::Connection {
  // Those with these ranks of the session.
  Connection(std::shared_ptr<Session> of, const std::string& name, std::vector<int> ranks)
      : session(std::move(of)), members(std::move(ranks)) {
    const auto here = std::find(members.begin(), members.end(), session->rank.rank);
    check_usage(here != members.end(), "process group: expected a part with rank ",
                session->rank.rank, " in it");
    rank = static_cast<int>(here - members.begin());
    size = static_cast<int>(members.size());
    store = c10::make_intrusive<c10d::PrefixStore>(name, session->store);
    gloo = make_gloo(store, rank, size, session->timeout);
  }

  c10d::Backend& backend_of(const at::Tensor& tensor) {
    if (tensor.is_cpu()) return *gloo;
    if (!nccl) nccl = make_nccl(store, rank, size);
    return *nccl;
  }

  template <typename Begin>
  c10::intrusive_ptr<c10d::Work> begin(const at::Tensor& tensor, const Begin& begin) {
    const NoPipeSignal quiet;
    try {
      const auto work = begin(backend_of(tensor));
      ++under_way;
      return work;
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      session->fail(error.what());
    }
  }

  // Waits, and looks now and then whether somebody is gone. Seconds are counted, and no clock is
  // read: while this process or the whole machine sleeps, nobody is late.
  void finish(const c10::intrusive_ptr<c10d::Work>& work) {
    Heartbeats& heartbeats = *session->heartbeats;
    int64_t looks = heartbeats.looks();
    seconds without_look(0);
    for (;;) {
      try {
        work->wait(seconds(1));
        --under_way;
        return;
      } catch (const std::exception& error) {
        // Without an exception of its own the work is not done, or was done when the second was
        // over.
        if (work->isCompleted() && work->exception()) session->fail(error.what());
      }
      without_look = heartbeats.looks() == looks ? without_look + seconds(1) : seconds(0);
      looks = heartbeats.looks();
      if (without_look > kPatience) heartbeats.give_up_on_first();
      if (heartbeats.dead() >= 0) session->fail("");
    }
  }

  std::shared_ptr<Session> session;
  std::vector<int> members;  // their ranks in the session
  int rank = 0;              // here
  int size = 1;
  bool is_whole = false;  // not a part of another group
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> gloo;
  c10::intrusive_ptr<c10d::Backend> nccl;  // made with the first tensor of a CUDA device
  std::atomic<int> under_way = 0;          // messages that nobody has waited for yet
};

ProcessGroup::ProcessGroup(const Rank& rank, seconds timeout) {
  check_usage(rank.size > 0 && rank.rank >= 0 && rank.rank < rank.size,
              "process group: expected a rank below ", rank.size, ", got ", rank.rank);
  check_address(rank);
  const NoPipeSignal quiet;
  try {
    if (rank.rank != 0) wait_for_listener(rank, timeout);
    connection_ = within(timeout + kPatience, "rank 0 did not answer", [rank, timeout] {
      std::vector<int> all(static_cast<size_t>(rank.size));
      std::iota(all.begin(), all.end(), 0);
      return std::make_shared<Connection>(std::make_shared<Session>(rank, timeout), "heed/all",
                                          all);
    });
    connection_->is_whole = true;
  } catch (const std::exception& error) {
    throw IoError(text_of("process group: rank ", rank.rank, " of ", rank.size,
                          " could not meet the others at ", rank.address, ':', rank.port, ": ",
                          reason_of(error)));
  }
}

ProcessGroup::ProcessGroup(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

ProcessGroup::~ProcessGroup() {
  const auto session = connection_->session;
  // Gloo would wait in its destructor for what will never come; the process is about to end.
  if (session->broken || connection_->under_way > 0) {
    new std::shared_ptr<Connection>(connection_);
    return;
  }
  if (connection_->is_whole) session->leave();
}

std::unique_ptr<ProcessGroup> ProcessGroup::part(const std::vector<int>& ranks) {
  std::vector<int> members;
  for (const int each : ranks)
    members.push_back(connection_->members.at(static_cast<size_t>(each)));
  Session& session = *connection_->session;
  const NoPipeSignal quiet;
  const std::string name = text_of("heed/part/", session.parts++, '/', members.front());
  try {
    return std::unique_ptr<ProcessGroup>(
        new ProcessGroup(std::make_shared<Connection>(connection_->session, name, members)));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    session.fail(error.what());
  }
}

int ProcessGroup::rank() const { return connection_->rank; }
int ProcessGroup::size() const { return connection_->size; }
int ProcessGroup::local_rank() const { return connection_->session->rank.local_rank; }

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
  Pending::State& state = *pending.state_;
  state.connection = connection_;
  state.tensors = {std::move(values)};
  state.work = connection_->begin(
      state.tensors[0], [&](c10d::Backend& backend) { return backend.allreduce(state.tensors); });
  return pending;
}

void ProcessGroup::sum(at::Tensor values) { sum_later(std::move(values)).wait(); }

void ProcessGroup::broadcast(at::Tensor values) {
  std::vector<at::Tensor> tensors = {std::move(values)};
  connection_->finish(connection_->begin(
      tensors[0], [&](c10d::Backend& backend) { return backend.broadcast(tensors); }));
}

std::vector<at::Tensor> ProcessGroup::gather(const at::Tensor& values) {
  std::vector<at::Tensor> inputs = {values};
  std::vector<std::vector<at::Tensor>> outputs;
  if (is_first()) {
    outputs.emplace_back();
    for (int i = 0; i < size(); ++i) outputs[0].push_back(at::empty_like(values));
  }
  c10d::GatherOptions from_all;
  from_all.rootRank = 0;
  connection_->finish(connection_->begin(
      values, [&](c10d::Backend& backend) { return backend.gather(outputs, inputs, from_all); }));
  return is_first() ? outputs[0] : std::vector<at::Tensor>();
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
