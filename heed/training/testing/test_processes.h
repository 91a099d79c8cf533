// Tests with several processes, each with its place in a group.
#pragma once

#include <ATen/Parallel.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/training/processes/process_group.h"

namespace heed::test {

// A port that nobody listens on now.
inline uint16_t free_port() {
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
inline std::vector<int> run_processes(int size,
                                      const std::function<void(training::ProcessGroup&)>& body) {
  const uint16_t port = free_port();
  std::vector<pid_t> children;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t child = fork();
    if (child == 0) {
      at::set_num_threads(1);
      int code = 0;
      try {
        training::ProcessGroup group({.rank = rank, .size = size, .port = port});
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

inline void expect_all_well(const std::vector<int>& ends) {
  for (const int status : ends) EXPECT_EQ(status, 0);
}

}  // namespace heed::test
