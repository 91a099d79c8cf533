#include "heed/training/processes/process_group.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "heed/base/error.h"
#include "heed/training/processes/gradient_reducer.h"
#include "heed/training/testing/test_processes.h"

namespace heed::training {
namespace {

TEST(ProcessGroup, SumsAndBroadcasts) {
  for (const int size : {2, 4}) {
    test::expect_all_well(test::run_processes(size, [&](ProcessGroup& group) {
      at::Tensor values = at::full({3}, group.rank() + 1.0, at::kFloat);
      group.sum(values);
      EXPECT_EQ(values[1].item<double>(), size * (size + 1) / 2.0);
      at::Tensor mine = at::full({2}, group.rank() + 5, at::kLong);
      group.broadcast(mine);
      EXPECT_EQ(mine[0].item<int64_t>(), 5);
      EXPECT_EQ(group.broadcast(group.is_first() ? "from the first" : ""), "from the first");
    }));
  }
}

TEST(ProcessGroup, GathersInTheFirst) {
  test::expect_all_well(test::run_processes(4, [](ProcessGroup& group) {
    const auto all = group.gather(at::full({2}, group.rank() + 1.0));
    ASSERT_EQ(all.size(), group.is_first() ? 4U : 0U);
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i][1].item<double>(), i + 1.0);
  }));
}

TEST(ProcessGroup, PartsTalkAmongThemselves) {
  test::expect_all_well(test::run_processes(4, [](ProcessGroup& group) {
    const int here = group.rank();
    const auto pair = group.part({here / 2 * 2, here / 2 * 2 + 1});
    const auto across = group.part({here % 2, here % 2 + 2});
    EXPECT_EQ(pair->rank(), here % 2);
    EXPECT_EQ(across->rank(), here / 2);
    EXPECT_EQ(across->size(), 2);
    for (int round = 0; round < 3; ++round) {
      at::Tensor values = at::full({3}, static_cast<double>(here));
      pair->sum(values);
      EXPECT_EQ(values[0].item<double>(), here < 2 ? 0 + 1 : 2 + 3);
      values = at::full({3}, static_cast<double>(here));
      across->sum(values);
      EXPECT_EQ(values[0].item<double>(), here % 2 == 0 ? 0 + 2 : 1 + 3);
    }
  }));
}

// The message of a process that is gone names its rank among all, whoever waits for it.
TEST(ProcessGroup, APartNamesTheRankThatWasKilled) {
  const std::vector<int> ends = test::run_processes(3, [](ProcessGroup& group) {
    const auto part = group.part(group.rank() == 0 ? std::vector<int>{0} : std::vector<int>{1, 2});
    if (group.rank() == 1) std::raise(SIGKILL);
    at::Tensor values = at::ones({1000});
    for (;;) (group.rank() == 0 ? group : *part).sum(values);
  });
  EXPECT_EQ(WEXITSTATUS(ends[0]), 74);
  EXPECT_EQ(WEXITSTATUS(ends[2]), 74);
}

// Whether a thread of this process blocks SIGPIPE.
bool blocks_pipe_signal(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigBlk:", 0) != 0) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (SIGPIPE - 1) & 1) != 0;
  }
  return false;
}

// A peer that dies while somebody writes to it must not take that one along.
TEST(ProcessGroup, ItsThreadsAreSafeFromBrokenPipes) {
  test::expect_all_well(test::run_processes(2, [](ProcessGroup& group) {
    at::Tensor values = at::ones({10});
    group.sum(values);
    const std::string main = std::to_string(getpid());
    int others = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      const bool is_main = task.path().filename() == main;
      EXPECT_EQ(blocks_pipe_signal(task.path()), !is_main) << task.path();
      others += is_main ? 0 : 1;
    }
    EXPECT_GE(others, 2);
  }));
}

TEST(ProcessGroup, NamesTheRankThatWasKilled) {
  const std::vector<int> ends = test::run_processes(4, [](ProcessGroup& group) {
    at::Tensor values = at::ones({1000});
    group.sum(values);
    if (group.rank() == 1) std::raise(SIGKILL);
    for (;;) group.sum(values);
  });
  for (size_t rank = 0; rank < ends.size(); ++rank) {
    if (rank == 1) {
      EXPECT_TRUE(WIFSIGNALED(ends[rank]));
    } else {
      EXPECT_EQ(WEXITSTATUS(ends[rank]), 74)
          << "rank " << rank << ", signal " << WTERMSIG(ends[rank]);
    }
  }
}

// Why a process of two with this rank cannot meet the other.
std::string refusal(const Rank& rank) {
  try {
    const ProcessGroup group(rank, std::chrono::seconds(20));
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

// Somebody who listens at a port and never says a word.
class MutePort {
 public:
  MutePort() : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t size = sizeof address;
    bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size);
    listen(descriptor_, 16);
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    number_ = ntohs(address.sin_port);
  }
  ~MutePort() { close(descriptor_); }
  MutePort(const MutePort&) = delete;
  MutePort& operator=(const MutePort&) = delete;
  uint16_t number() const { return number_; }

 private:
  int descriptor_;
  uint16_t number_ = 0;
};

TEST(ProcessGroup, APortOfAnotherProgramIsSaidInOneLine) {
  test::expect_all_well(test::run_processes(1, [](ProcessGroup&) {
    const MutePort port;
    const std::string first = refusal({.rank = 0, .size = 2, .port = port.number()});
    EXPECT_NE(first.find("choose another MASTER_PORT"), std::string::npos) << first;
    const std::string second = refusal({.rank = 1, .size = 2, .port = port.number()});
    EXPECT_NE(second.find("does not answer: another program"), std::string::npos) << second;
    for (const std::string& each : {first, second}) {
      EXPECT_EQ(each.find('\n'), std::string::npos) << each;
    }
  }));
}

TEST(ProcessGroup, AHostThatCannotBeFoundIsSaidAtOnce) {
  const std::string message = refusal({.rank = 1, .size = 2, .address = "no.such.host.invalid"});
  EXPECT_NE(message.find("MASTER_ADDR: the host 'no.such.host.invalid' cannot be found"),
            std::string::npos)
      << message;
}

TEST(ProcessGroup, TwoOfOneRankAreNotOfOneTraining) {
  test::expect_all_well(test::run_processes(1, [](ProcessGroup&) {
    const uint16_t port = test::free_port();
    std::vector<std::string> said(3);
    std::vector<std::thread> processes;
    for (size_t i = 0; i < said.size(); ++i) {
      processes.emplace_back([&said, i, port] {  // rank 0, and two that take themselves for rank 1
        said[i] = refusal({.rank = i == 0 ? 0 : 1, .size = 3, .port = port});
      });
    }
    for (std::thread& each : processes) each.join();
    const auto refused = [](const std::string& message) {
      return message.find("another training uses this port") != std::string::npos;
    };
    EXPECT_EQ(std::count_if(said.begin(), said.end(), refused), 1) << said[1] << '\n' << said[2];
  }));
}

// A laptop that is closed, a debugger, a busy machine: shorter than kPatience it is no death.
TEST(ProcessGroup, APauseIsNoBrokenConnection) {
  test::expect_all_well(test::run_processes(2, [](ProcessGroup& group) {
    at::Tensor values = at::ones({1000});
    group.sum(values);
    const pid_t here = getpid();
    if (group.rank() == 1) {
      const pid_t other = fork();
      if (other == 0) {  // stops its parent for a while, several times
        for (int i = 0; i < 4; ++i) {
          usleep(200'000);
          kill(here, SIGSTOP);
          usleep(900'000 + 100'000 * static_cast<useconds_t>(i));
          kill(here, SIGCONT);
        }
        _exit(0);
      }
    }
    for (int round = 0; round < 1500; ++round) {
      values.fill_(1);
      group.sum(values);
      EXPECT_EQ(values[0].item<double>(), 2);
      usleep(4000);
    }
  }));
}

// Rank 0 keeps the store: nobody else can ask it whether rank 0 is there.
TEST(ProcessGroup, AFirstThatIsFrozenIsGivenUpOn) {
  const uint16_t port = test::free_port();
  const auto start = [&](int rank) {
    const pid_t child = fork();
    if (child != 0) return child;
    int code = 1;
    try {
      ProcessGroup group({.rank = rank, .size = 2, .port = port});
      at::Tensor values = at::ones({10});
      group.sum(values);
      if (rank == 0) std::raise(SIGSTOP);
      for (;;) group.sum(values);
    } catch (const IoError& error) {
      code = std::string(error.what()).find("rank 0 of 2 has ended") != std::string::npos ? 74 : 1;
    }
    _exit(code);
  };
  const pid_t frozen = start(0);
  const pid_t waiting = start(1);
  int status = 0;
  waitpid(waiting, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 74);
  kill(frozen, SIGKILL);
  waitpid(frozen, &status, 0);
}

TEST(ProcessGroup, NamesTheRankThatDoesNotCome) {
  test::expect_all_well(test::run_processes(1, [](ProcessGroup&) {
    const Rank first{.rank = 0, .size = 2, .port = test::free_port()};
    try {
      const ProcessGroup lonely(first, std::chrono::seconds(1));
      FAIL() << "expected to be alone";
    } catch (const IoError& error) {
      EXPECT_NE(std::string(error.what()).find("rank 1 did not come"), std::string::npos)
          << error.what();
    }
  }));
}

// A tiny network whose gradients are known.
struct Parameters {
  at::Tensor a = at::full({5}, 2.0).set_requires_grad(true);
  at::Tensor b = at::full({3}, 1.0).set_requires_grad(true);
  at::Tensor unused = at::full({2}, 1.0).set_requires_grad(true);

  std::vector<at::Tensor> all() const { return {a, b, unused}; }
  at::Tensor loss(double x) const { return (a * x).sum() + (b * a[0]).sum(); }
};

TEST(GradientReducer, SumsOverProcessesByWeight) {
  test::expect_all_well(test::run_processes(2, [](ProcessGroup& group) {
    Parameters p;
    GradientReducer reducer(p.all(), group, {.bucket_bytes = 20});
    EXPECT_GT(reducer.buckets(), 1);
    for (int round = 0; round < 3; ++round) {
      for (at::Tensor each : p.all()) each.mutable_grad().reset();
      const double x = group.rank() + 1;  // 1 and 2
      p.loss(x).backward();               // an accumulated batch: not sent by itself
      reducer.begin(group.rank() == 0 ? 1 : 3);
      p.loss(x).backward();
      reducer.finish();
      // Two batches each: 2 · (1 · 1 + 3 · 2) for a, whose first element gets Σ b more.
      EXPECT_EQ(p.a.grad()[1].item<double>(), 14);
      EXPECT_EQ(p.a.grad()[0].item<double>(), 14 + 2 * (1 + 3) * 3);
      EXPECT_EQ(p.b.grad()[2].item<double>(), 2 * (1 + 3) * 2);
      EXPECT_EQ(p.unused.grad()[0].item<double>(), 0);
    }
  }));
}

TEST(GradientReducer, AProcessWithoutABatchTakesPart) {
  test::expect_all_well(test::run_processes(2, [](ProcessGroup& group) {
    Parameters p;
    GradientReducer reducer(p.all(), group);
    if (group.rank() == 0) {
      reducer.begin(2);
      p.loss(1).backward();
    } else {
      reducer.begin(0);
    }
    reducer.finish();
    EXPECT_EQ(p.a.grad()[1].item<double>(), 2);
  }));
}

TEST(ProcessGroup, WithoutNcclCudaIsRefused) {
  EXPECT_NO_THROW(check_group_device(at::kCPU));
  if (at::globalContext().hasCUDA()) GTEST_SKIP() << "this torch has CUDA";
  try {
    check_group_device(at::kCUDA);
    FAIL() << "expected a refusal";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("NCCL"), std::string::npos) << error.what();
  }
}

class Environment : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR",
                             "MASTER_PORT", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}) {
      unsetenv(name);
    }
  }
  static void set(const char* name, const char* value) { setenv(name, value, 1); }
};

TEST_F(Environment, IsThatOfTorchrunOrMpi) {
  EXPECT_FALSE(rank_from_environment().has_value());
  set("WORLD_SIZE", "1");
  EXPECT_FALSE(rank_from_environment().has_value());
  set("WORLD_SIZE", "4");
  EXPECT_THROW(rank_from_environment(), UsageError);
  set("RANK", "3");
  set("MASTER_ADDR", "10.0.0.1");
  EXPECT_THROW(rank_from_environment(), UsageError) << "no port";
  set("MASTER_PORT", "29501");
  const Rank found = rank_from_environment().value();
  EXPECT_EQ(found.rank, 3);
  EXPECT_EQ(found.size, 4);
  EXPECT_EQ(found.address, "10.0.0.1");
  EXPECT_EQ(found.port, 29501);
  set("RANK", "4");
  EXPECT_THROW(rank_from_environment(), UsageError);
  set("RANK", "two");
  EXPECT_THROW(rank_from_environment(), UsageError);
  clear();
  set("OMPI_COMM_WORLD_SIZE", "2");
  set("OMPI_COMM_WORLD_RANK", "1");
  set("MASTER_ADDR", "localhost");
  set("MASTER_PORT", "29501");
  EXPECT_EQ(rank_from_environment()->rank, 1);
}

}  // namespace
}  // namespace heed::training
