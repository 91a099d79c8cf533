#include "heed/cli/writing/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "heed/io/printable.h"

namespace heed::cli {

void open_closed_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest number that is free, which is this one.
    [[maybe_unused]] const int opened =
        open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

bool reader_left() {
  pollfd stream{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&stream, 1, 0) == 1 && (stream.revents & POLLERR) != 0;
}

std::string as_shown(const std::string& text) {
  return isatty(STDOUT_FILENO) == 1 ? printable_lines(text) : text;
}

PrintableOutput::PrintableOutput(std::ostream& out) : out_(out), below_(out.rdbuf(this)) {}

PrintableOutput::~PrintableOutput() { out_.rdbuf(below_); }

PrintableOutput::int_type PrintableOutput::overflow(int_type character) {
  if (traits_type::eq_int_type(character, traits_type::eof()))
    return traits_type::not_eof(character);
  const char c = traits_type::to_char_type(character);
  return xsputn(&c, 1) == 1 ? character : traits_type::eof();
}

std::streamsize PrintableOutput::xsputn(const char* text, std::streamsize count) {
  const std::string shown = printable_lines({text, static_cast<size_t>(count)});
  const auto size = static_cast<std::streamsize>(shown.size());
  return below_->sputn(shown.data(), size) == size ? count : 0;
}

}  // namespace heed::cli
