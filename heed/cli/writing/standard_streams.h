// The three standard streams, made safe before anything is read or written.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace heed::cli {

// A stream that the caller closed is opened, the other way round, so that its number goes to no
// other file and to use it is an error: what is written there must not land in a model.
void open_closed_streams();

// Whether standard output is a pipe whose reader has left, as `head` does.
bool reader_left();

// What standard output shows of a text that people or models wrote: a terminal gets nothing that it
// would obey, a file or a pipe the text as it is.
std::string as_shown(const std::string& text);

// While it lives, what `out` writes for people has no character in it that a terminal would obey:
// messages hold names of files, labels and fields that others chose.
class PrintableOutput : private std::streambuf {
 public:
  explicit PrintableOutput(std::ostream& out);
  ~PrintableOutput() override;
  PrintableOutput(const PrintableOutput&) = delete;
  PrintableOutput& operator=(const PrintableOutput&) = delete;

 private:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize count) override;
  int sync() override { return below_->pubsync(); }

  std::ostream& out_;
  std::streambuf* below_;
};

}  // namespace heed::cli
