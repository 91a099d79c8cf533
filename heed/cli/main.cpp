// The program `heed`: finds the subcommand, parses its options, runs it, and turns errors into
// messages and exit codes.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <c10/util/Exception.h>
#include <unistd.h>

#include "heed/base/error.h"
#include "heed/base/progress.h"
#include "heed/cli/command.h"
#include "heed/cli/options/help.h"
#include "heed/cli/options/refusal.h"
#include "heed/cli/options/settings_file.h"
#include "heed/cli/options/suggestion.h"
#include "heed/cli/writing/standard_streams.h"
#include "heed/version.h"

namespace heed::cli {
namespace {

// As in sysexits.h; 130 is what a shell says of a program that Ctrl-C ended.
enum ExitCode {
  kOk = 0,
  kUsage = 2,
  kBadData = 65,
  kMissingInput = 66,
  kInternal = 70,
  kIo = 74,
  kInterrupted = 130,
};

using Words = std::vector<std::string>;

size_t help_width() { return static_cast<size_t>(terminal_width(STDOUT_FILENO)); }

void print_help(std::ostream& out) {
  const size_t width = help_width();
  out << wrapped(text_of("heed ", version(),
                         ": trains networks built on self-attention, uses them, and shows what "
                         "they attend to."),
                 width, 0)
      << "\n\nUsage: heed COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : commands()) {
    const std::string name = "  " + command.path + "  ";
    out << name << wrapped(command.summary, width, 26, name.size()) << '\n';
  }
  out << '\n'
      << wrapped("`heed COMMAND --help` shows the options of a command and examples.", width, 0)
      << '\n'
      << wrapped(
             "Exit codes: 0 ok, 2 usage, 65 bad data, 66 missing input, 70 internal error, 74 "
             "input/output error, 130 interrupted.",
             width, 0)
      << '\n';
}

Words split(const std::string& text) {
  Words words;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// A command and how many of the words name it; null where there is none.
struct Found {
  const Command* command = nullptr;
  size_t words = 0;
};
Found find(const Words& words) {
  for (const Command& command : commands()) {
    const Words path = split(command.path);
    if (words.size() >= path.size() && std::equal(path.begin(), path.end(), words.begin())) {
      return {&command, path.size()};
    }
  }
  return {};
}

// The command that was meant by words that name none, with "heed" in front; may be nothing.
std::string similar_command(const Words& words) {
  std::vector<std::string> first, both;
  for (const Command& command : commands()) {
    first.push_back(split(command.path)[0]);
    both.push_back(command.path);
  }
  std::string found;
  if (words.size() > 1) found = nearest(words[0] + " " + words[1], both);
  if (found.empty()) found = nearest(words[0], first);
  if (found.empty()) {  // the second word alone: "heed lm", "heed bleu"
    for (const std::string& path : both) {
      if (path.ends_with(" " + words[0])) return "'heed " + path + "'";
    }
  }
  return found.empty() ? found : "'heed " + found + "'";
}

[[noreturn]] void refuse(const Words& words) {
  std::string known;
  for (const Command& command : commands()) {
    if (split(command.path)[0] != words[0]) continue;
    known += "\n  heed " + command.path;
  }
  const std::string meant = did_you_mean(similar_command(words));
  if (known.empty()) {
    throw UsageError(text_of("there is no command '", words[0], "'",
                             meant.empty() ? "; see heed --help" : meant));
  }
  throw UsageError(words.size() == 1 || words[1].starts_with('-')
                       ? text_of("'heed ", words[0], "' needs one more word. Known are:", known)
                       : text_of("there is no command '", words[0], " ", words[1], "'", meant,
                                 meant.empty() ? ". " : " ", "Known are:", known));
}

int run_command(const Command& command, Words arguments) {
  const Parser parser = parser_of(command);
  Options& options = *parser.options;
  try {
    switch (options.parse(std::move(arguments))) {
      case Options::Wanted::kHelp:
        std::cout << help_text(options, help_width());
        return kOk;
      case Options::Wanted::kSettings:
        std::cout << settings_text(options);
        return kOk;
      case Options::Wanted::kRun:
        break;
    }
  } catch (const UsageError& error) {
    throw UsageError(
        text_of(command.path, ": ", error.what(), "\nSee heed ", command.path, " --help"));
  }
  try {
    parser.action();
  } catch (const UsageError& error) {
    throw UsageError(as_typed(options, error.what()));
  }
  return kOk;
}

int run(Words words) {
  if (words.empty()) {
    print_help(std::cerr);
    return kUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    words.erase(words.begin());
    if (words.empty()) {
      print_help(std::cout);
      return kOk;
    }
    words.push_back("--help");
  }
  if (words[0] == "--version") {
    std::cout << "heed " << version() << '\n' << about_this_build();
    return kOk;
  }
  const Found found = find(words);
  if (found.command == nullptr) refuse(words);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(found.words));
  return run_command(*found.command, std::move(words));
}

// Runs the program and flushes what it wrote: a full disk must not look like success.
int run_and_flush(const Words& words) {
  const int code = run(words);
  std::cout.flush();
  if (!std::cout) throw IoError(text_of("standard output: ", std::strerror(errno)));
  return code;
}

// glibc gives every freed block of some MB back to the kernel and asks for it anew; in a training
// step, which makes the same tensors over and over, the page faults then cost more than the sums.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

constexpr size_t kLongestMessage = 4000;

int report(const std::string& message, ExitCode code) {
  std::cerr << "heed: " << message.substr(0, kLongestMessage);
  if (message.size() > kLongestMessage) {
    std::cerr << "... (" << message.size() - kLongestMessage << " bytes more)";
  }
  std::cerr << '\n';
  return code;
}

int not_enough_memory() {
  return report("not enough memory; try a smaller --batch-size or a smaller model", kInternal);
}

// What torch says of itself comes with a stack of C++ functions, which helps no user.
int report(const c10::Error& error) {
  const std::string message = error.what_without_backtrace();
  if (message.find("allocate memory") != std::string::npos) return not_enough_memory();
  return report("internal error: " + message, kInternal);
}

int run_and_report(const Words& words) {
  try {
    return run_and_flush(words);
  } catch (const UsageError& error) {
    return report(error.what(), kUsage);
  } catch (const DataError& error) {
    return report(error.what(), kBadData);
  } catch (const MissingInputError& error) {
    return report(error.what(), kMissingInput);
  } catch (const IoError& error) {
    if (!reader_left()) return report(error.what(), kIo);
    // As every program of a pipeline ends whose reader has seen enough.
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
    return kIo;
  } catch (const Interrupted& error) {
    return report(error.what(), kInterrupted);
  } catch (const Error& error) {  // the loss is no number, another process is gone
    return report(error.what(), kInternal);
  } catch (const std::bad_alloc&) {
    return not_enough_memory();
  } catch (const c10::Error& error) {
    return report(error);
  } catch (const std::exception& error) {
    return report(text_of("internal error: ", error.what()), kInternal);
  }
}

// Ends the program without destroying what is static: torch takes its tables of operators apart one
// by one there, a third of all that `heed --version` costs. What a sanitizer has to say, it says
// there as well.
[[noreturn]] void end_program(int code) {
  std::cout.flush();
  std::fflush(nullptr);
#ifdef __SANITIZE_ADDRESS__
  std::exit(code);
#else
  std::_Exit(code);
#endif
}

}  // namespace
}  // namespace heed::cli

int main(int count, char** arguments) {
  using namespace heed::cli;
  open_closed_streams();
  keep_freed_memory();
  std::ios::sync_with_stdio(false);
  std::signal(SIGPIPE, SIG_IGN);  // a reader that left shows as a failed write
  std::signal(SIGXFSZ, SIG_IGN);  // and so does a limit on the size of files
  int code = 0;
  {
    const PrintableOutput messages(std::cerr);
    code = run_and_report(Words(arguments + 1, arguments + count));
  }
  end_program(code);
}
