// Pages for a browser on this machine.
#pragma once

#include <functional>
#include <optional>
#include <string>

struct MHD_Daemon;

namespace heed::cli {

// Answers on 127.0.0.1 alone, on a thread of its own, while it lives. It answers GET and HEAD of
// browsers that ask for localhost by name or number, so that no site that one visits meanwhile can
// read the pages under a name of its own.
class PageServer {
 public:
  // The HTML of a path such as "/" or "/attention-1.html"; none: there is no such page. Called on
  // the server's thread; what it throws is told to the browser.
  using Pages = std::function<std::optional<std::string>(const std::string& path)>;

  // `port` 0: any that is free. Throws UsageError for a port that another program has, or that may
  // not be taken.
  PageServer(int port, Pages pages);
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  std::string address() const;  // "http://127.0.0.1:8000/"

 private:
  struct Answering;  // what the server's library calls
  Pages pages_;
  int port_ = 0;
  MHD_Daemon* daemon_ = nullptr;
};

// Throws as PageServer's constructor does; takes nothing.
void check_port(int port);

}  // namespace heed::cli
