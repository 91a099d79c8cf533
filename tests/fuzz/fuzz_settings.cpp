// Settings files: what is read is written and read again.
#include <CLI/CLI.hpp>
#include <sstream>
#include <vector>

#include "heed/cli/options/settings_file.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

// A command with an option of each kind.
struct Command {
  CLI::App app{"fuzz"};
  std::string name;
  int64_t number = 1;
  double real = 0.5;
  bool flag = false;
  std::vector<std::string> list;

  Command() {
    app.add_option("--name", name, "A text")->capture_default_str();
    app.add_option("--number", number, "A whole number")->capture_default_str();
    app.add_option("--real", real, "A number")->capture_default_str();
    app.add_flag("--flag", flag, "Yes or no");
    app.add_option("--list", list, "Texts")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
  }

  void read(const std::string& text) {
    std::istringstream in(text);
    cli::read_settings(app, in, "fuzz.toml");
  }
};

}  // namespace

void one(std::string_view input) {
  Command command;
  command.read(std::string(input));
  const std::string text = cli::settings_text(command.app);
  Command again;
  again.read(text);
  expect(cli::settings_text(again.app) == text);
}

}  // namespace heed::fuzz
