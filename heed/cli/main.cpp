// The program `heed`: finds the subcommand, parses its options, runs it, and turns errors into
// messages and exit codes.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "heed/base/error.h"
#include "heed/cli/command.h"
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

void print_help(std::ostream& out) {
  out << "heed " << version() << ": trains networks built on self-attention, uses them, and shows\n"
      << "what they attend to.\n\nUsage: heed COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : commands()) {
    std::string name = command.path;
    name.resize(std::max<size_t>(name.size() + 2, 20), ' ');
    out << "  " << name << command.summary << '\n';
  }
  out << "\n`heed COMMAND --help` shows the options of a command and examples.\n"
      << "Exit codes: 0 ok, 2 usage, 65 bad data, 66 missing input, 70 internal error,\n"
      << "74 input/output error, 130 interrupted.\n";
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
    for (const std::string& name : {command.path, command.alias}) {
      const Words path = split(name);
      if (!path.empty() && words.size() >= path.size() &&
          std::equal(path.begin(), path.end(), words.begin())) {
        return {&command, path.size()};
      }
    }
  }
  return {};
}

[[noreturn]] void refuse(const Words& words) {
  std::string known;
  for (const Command& command : commands()) {
    if (split(command.path)[0] != words[0]) continue;
    known += "\n  heed " + command.path;
  }
  if (!known.empty()) {
    throw UsageError(
        words.size() == 1 || words[1].starts_with('-')
            ? text_of("'heed ", words[0], "' needs one more word. Known are:", known)
            : text_of("there is no command '", words[0], " ", words[1], "'. Known are:", known));
  }
  throw UsageError(text_of("there is no command '", words[0], "'; see heed --help"));
}

int run_command(const Command& command, Words arguments) {
  const Parser parser = parser_of(command);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector of them
  try {
    parser.app->parse(arguments);
  } catch (const CLI::CallForHelp&) {
    std::cout << parser.app->help();
    return kOk;
  } catch (const CLI::CallForVersion& config) {  // --print-config
    std::cout << config.what();
    return kOk;
  } catch (const CLI::FileError& error) {
    throw MissingInputError(text_of("--config: ", error.what()));
  } catch (const CLI::ParseError& error) {
    std::cerr << "heed " << command.path << ": " << error.what() << "\nSee heed " << command.path
              << " --help\n";
    return kUsage;
  }
  parser.action();
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

int report(const std::exception& error, ExitCode code) {
  std::cerr << "heed: " << error.what() << '\n';
  return code;
}

}  // namespace
}  // namespace heed::cli

int main(int count, char** arguments) {
  using namespace heed;
  using namespace heed::cli;
  keep_freed_memory();
  std::ios::sync_with_stdio(false);
  std::signal(SIGPIPE, SIG_IGN);  // a reader that left shows as a failed write
  try {
    return run_and_flush(Words(arguments + 1, arguments + count));
  } catch (const UsageError& error) {
    return report(error, kUsage);
  } catch (const DataError& error) {
    return report(error, kBadData);
  } catch (const MissingInputError& error) {
    return report(error, kMissingInput);
  } catch (const IoError& error) {
    return report(error, kIo);
  } catch (const Interrupted& error) {
    return report(error, kInterrupted);
  } catch (const Error& error) {  // the loss is no number, another process is gone
    return report(error, kInternal);
  } catch (const std::bad_alloc&) {
    std::cerr << "heed: not enough memory; try a smaller --batch-size or a smaller model\n";
    return kInternal;
  } catch (const std::exception& error) {
    std::cerr << "heed: internal error: " << error.what() << '\n';
    return kInternal;
  }
}
