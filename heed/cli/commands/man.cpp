#include <filesystem>
#include <iostream>
#include <ostream>
#include <sstream>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/options/options.h"
#include "heed/io/atomic.h"
#include "heed/version.h"

namespace heed::cli {
namespace {

// A text in roff: backslashes and hyphens escaped, no line that begins with a control character.
std::string roff(const std::string& text) {
  std::string escaped;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    line_start = c == '\n';
  }
  return escaped;
}

std::string dashed(std::string path) {
  for (char& c : path) c = c == ' ' ? '-' : c;
  return path;
}

void print_option(std::ostream& out, const OptionInfo& option) {
  out << ".TP\n";
  const char* comma = "";
  for (const std::string& name : option.names) {
    out << comma << "\\fB" << roff(name) << "\\fR";
    comma = ", ";
  }
  if (!option.value.empty() && !option.positional) out << " \\fI" << option.value << "\\fR";
  out << '\n' << roff(full_description(option)) << '\n';
}

void print_page(std::ostream& out, const Command& command) {
  const Parser parser = parser_of(command);
  out << ".TH \"heed-" << dashed(command.path) << "\" 1 \"\" \"heed " << version() << "\"\n"
      << ".SH NAME\nheed-" << dashed(command.path) << " \\- " << roff(command.summary)
      << "\n.SH SYNOPSIS\n\\fBheed " << command.path << "\\fR";
  const auto options = parser.options->all();
  for (const OptionInfo& option : options) {
    if (option.positional) out << " \\fI" << option.names[0] << "\\fR";
  }
  out << " [\\fIoptions\\fR]\n";
  std::string group;
  for (const OptionInfo& option : options) {
    const std::string heading = option.positional ? "Arguments" : option.group;
    if (heading != group) out << ".SH " << (group = heading) << '\n';
    print_option(out, option);
  }
  out << ".SH EXAMPLES\n.nf\n" << roff(command.examples) << ".fi\n.SH SEE ALSO\nheed(1)\n";
}

void print_overview(std::ostream& out) {
  out << ".TH heed 1 \"\" \"heed " << version() << "\"\n"
      << ".SH NAME\nheed \\- self\\-attention networks: train, use, and see what they attend "
         "to\n.SH SYNOPSIS\n\\fBheed\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.SH COMMANDS\n";
  for (const Command& command : commands()) {
    out << ".TP\n\\fBheed " << command.path << "\\fR\n"
        << roff(command.summary) << ". See heed\\-" << roff(dashed(command.path)) << "(1).\n";
  }
  out << ".SH EXIT STATUS\n0 ok, 2 usage, 65 bad data, 66 missing input, 70 internal error, "
         "74 input/output error, 130 interrupted.\n";
}

// heed.1 and a page for each command, for `cmake --install`.
void write_pages(const std::filesystem::path& folder) {
  const auto write = [&](const std::string& name, const auto& print) {
    std::ostringstream page;
    print(page);
    AtomicFile file(folder / (name + ".1"));
    file.write(page.str());
    file.commit();
  };
  write("heed", [](std::ostream& out) { print_overview(out); });
  for (const Command& command : commands()) {
    write("heed-" + dashed(command.path), [&](std::ostream& out) { print_page(out, command); });
  }
}

struct ManSettings {
  std::string command;
  std::string folder;
};

void run_man(const ManSettings& settings) {
  if (!settings.folder.empty()) return write_pages(settings.folder);
  if (settings.command.empty()) return print_overview(std::cout);
  for (const Command& command : commands()) {
    if (dashed(command.path) == settings.command) {
      return print_page(std::cout, command);
    }
  }
  throw UsageError(text_of("there is no command '", settings.command, "'; see heed --help"));
}

void define_man(Options& options, ManSettings& s) {
  const Option command =
      options.add("command", s.command, "eval, train-classify, ...; without: heed itself");
  options.add("--all", s.folder, "Write every page into this folder instead").excludes(command);
}

}  // namespace

Command man_command() {
  return {
      .path = "man",
      .summary = "Print the man page of a command",
      .examples =
          "  heed man | man -l -\n  heed man eval > heed-eval.1\n"
          "  heed man train-classify | man -l -\n",
      .define = with_settings(define_man, run_man),
  };
}

}  // namespace heed::cli
