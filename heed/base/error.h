// The errors that Heed throws. The library throws and never prints, exits or aborts; the program
// turns each kind into the exit code of the same name (sysexits.h).
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace heed {

// The base of every error of this library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An argument or a setting that cannot be used: wrong shapes, an unknown name, a value out of
// range. Exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// Data that was read and cannot be used. `where` is "file" or "file:line". Exit code 65.
class DataError : public Error {
 public:
  using Error::Error;
  DataError(std::string_view where, std::string_view what)
      : Error(std::string(where) + ": " + std::string(what)) {}
};

// An input that is not there or may not be read. Exit code 66.
class MissingInputError : public Error {
 public:
  using Error::Error;
};

// Reading or writing failed: disk full, I/O error, permission. Exit code 74.
class IoError : public Error {
 public:
  using Error::Error;
};

// The user asked to stop (Ctrl-C), and everything was saved. Exit code 130.
class Interrupted : public Error {
 public:
  using Error::Error;
};

// "a", 3, "b" -> "a3b": messages are built from their parts at the place that throws.
template <typename... Parts>
std::string text_of(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// Throws UsageError unless `holds`; the message says what was expected and what came.
template <typename... Parts>
void check_usage(bool holds, const Parts&... parts) {
  if (!holds) throw UsageError(text_of(parts...));
}

}  // namespace heed
