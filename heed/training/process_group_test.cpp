#include "heed/training/process_group.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <vector>

#include "heed/base/error.h"
#include "heed/training/gradient_reducer.h"

namespace heed::training {
namespace {

// A port that nobody listens on now.
uint16_t free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(descriptor, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  close(descriptor);
  return ntohs(address.sin_port);
}

// Runs `body` in `size` processes; returns how each ended (0: well), as waitpid says it.
std::vector<int> run_processes(int size, const std::function<void(ProcessGroup&)>& body) {
  const uint16_t port = free_port();
  std::vector<pid_t> children;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t child = fork();
    if (child == 0) {
      at::set_num_threads(1);
      int code = 0;
      try {
        ProcessGroup group({.rank = rank, .size = size, .port = port});
        body(group);
      } catch (const IoError& error) {
        std::fprintf(stderr, "%s\n", error.what());
        code = std::string(error.what()).find("rank 1 of") != std::string::npos ? 74 : 75;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
        code = 1;
      }
      _exit(code == 0 && testing::Test::HasFailure() ? 2 : code);
    }
    children.push_back(child);
  }
  std::vector<int> ends;
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    ends.push_back(status);
  }
  return ends;
}

void expect_all_well(const std::vector<int>& ends) {
  for (const int status : ends) EXPECT_EQ(status, 0);
}

TEST(ProcessGroup, SumsAndBroadcasts) {
  for (const int size : {2, 4}) {
    expect_all_well(run_processes(size, [&](ProcessGroup& group) {
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

TEST(ProcessGroup, NamesTheRankThatWasKilled) {
  const std::vector<int> ends = run_processes(4, [](ProcessGroup& group) {
    at::Tensor values = at::ones({1000});
    group.sum(values);
    if (group.rank() == 1) std::raise(SIGKILL);
    for (;;) group.sum(values);
  });
  for (size_t rank = 0; rank < ends.size(); ++rank) {
    if (rank == 1) {
      EXPECT_TRUE(WIFSIGNALED(ends[rank]));
    } else {
      EXPECT_EQ(WEXITSTATUS(ends[rank]), 74) << "rank " << rank;
    }
  }
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
  expect_all_well(run_processes(2, [](ProcessGroup& group) {
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
  expect_all_well(run_processes(2, [](ProcessGroup& group) {
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
