#include "heed/cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <cstring>

namespace heed::cli {
namespace {

volatile std::sig_atomic_t flag = 0;

void handle(int signal) {
  if (flag != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  flag = 1;
  // Only calls that are safe inside a signal handler.
  const char* text = "\nheed: stopping after this step; once more ends at once\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

}  // namespace

InterruptGuard::InterruptGuard() {
  flag = 0;
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool InterruptGuard::interrupted() { return flag != 0; }

}  // namespace heed::cli
