#include "heed/cli/watch/page_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

constexpr unsigned kSecondsOfSilence = 30;  // after which a connection is closed
constexpr unsigned kConnections = 32;

// A socket that listens on 127.0.0.1.
class Listener {
 public:
  explicit Listener(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) fail(port, errno);
    // What a run that has just ended leaves behind may be taken; a port that is in use may not.
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket_, static_cast<int>(kConnections)) != 0) {
      const int error = errno;
      ::close(socket_);
      fail(port, error);
    }
  }
  ~Listener() {
    if (socket_ >= 0) ::close(socket_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  int socket() const { return socket_; }
  void release() { socket_ = -1; }  // somebody else closes it

 private:
  [[noreturn]] static void fail(int port, int error) {
    throw UsageError(text_of("--watch ", port, ": the port ",
                             error == EADDRINUSE
                                 ? "is taken by another program"
                                 : text_of("cannot be used: ", std::strerror(error)),
                             "; take another one, or 0 for any that is free"));
  }

  int socket_;
};

// "localhost:8000" and the like, whatever the port: it may have been forwarded.
bool is_this_machine(const char* host) {
  if (host == nullptr) return false;
  const std::string_view text = host;
  const std::string_view name = text.substr(0, text.rfind(':'));
  return name == "localhost" || name == "127.0.0.1";
}

MHD_Result send(MHD_Connection* connection, unsigned status, const std::string& content) {
  MHD_Response* response = MHD_create_response_from_buffer(
      content.size(), const_cast<char*>(content.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  const auto add = [&](const char* name, const char* value) {
    MHD_add_response_header(response, name, value);
  };
  add("Content-Type",
      status == MHD_HTTP_OK ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
      "connect-src 'self'; frame-ancestors 'none'");
  const MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

}  // namespace

struct PageServer::Answering {
  static MHD_Result answer(void* server, MHD_Connection* connection, const char* url,
                           const char* method, const char* /*version*/, const char* /*upload*/,
                           size_t* /*upload_size*/, void** /*state*/) {
    const std::string_view name = method;
    if (name != MHD_HTTP_METHOD_GET && name != MHD_HTTP_METHOD_HEAD) {
      return send(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    }
    if (!is_this_machine(
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST))) {
      return send(connection, MHD_HTTP_FORBIDDEN, "ask for localhost or 127.0.0.1\n");
    }
    try {
      const auto page = static_cast<const PageServer*>(server)->pages_(url);
      return page ? send(connection, MHD_HTTP_OK, *page)
                  : send(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
    } catch (const std::exception& error) {
      return send(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, text_of(error.what(), '\n'));
    }
  }
};

PageServer::PageServer(int port, Pages pages) : pages_(std::move(pages)) {
  Listener listener(port);
  port_ = listener.port();
  daemon_ = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, nullptr, nullptr,
                             &Answering::answer, this, MHD_OPTION_LISTEN_SOCKET, listener.socket(),
                             MHD_OPTION_CONNECTION_TIMEOUT, kSecondsOfSilence,
                             MHD_OPTION_CONNECTION_LIMIT, kConnections, MHD_OPTION_END);
  check_usage(daemon_ != nullptr, "--watch ", port, ": the server of the page does not start");
  listener.release();
}

PageServer::~PageServer() { MHD_stop_daemon(daemon_); }

std::string PageServer::address() const { return text_of("http://127.0.0.1:", port_, '/'); }

void check_port(int port) { const Listener listener(port); }

}  // namespace heed::cli
