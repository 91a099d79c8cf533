#include "heed/training/processes/meeting.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace heed::training {
namespace {

using Clock = std::chrono::steady_clock;

struct Free {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, Free>;  // of a host and a port

Addresses addresses_of(const Rank& rank) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(rank.port);
  const int error = ::getaddrinfo(rank.address.c_str(), port.c_str(), &hints, &found);
  check_usage(error == 0, "environment: MASTER_ADDR: the host '", rank.address,
              "' cannot be found: ", ::gai_strerror(error));
  return Addresses(found);
}

bool takes_connections(const addrinfo& address) {
  const int descriptor =
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol);
  if (descriptor < 0) return false;
  const timeval longest{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  const bool taken = ::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0;
  ::close(descriptor);
  return taken;
}

}  // namespace

void check_address(const Rank& rank) { addresses_of(rank); }

void wait_for_listener(const Rank& rank, std::chrono::seconds timeout) {
  const Addresses addresses = addresses_of(rank);
  for (const auto until = Clock::now() + timeout; Clock::now() < until;) {
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
      if (takes_connections(*each)) return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw IoError(text_of("rank 0 did not come within ", timeout.count(), " s"));
}

std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

std::string reason_of(const std::exception& error) {
  const std::string message = first_line(error.what());
  if (message.find("EADDRINUSE") != std::string::npos) {
    return "another program uses this port; choose another MASTER_PORT";
  }
  return message;
}

}  // namespace heed::training
