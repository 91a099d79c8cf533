// Settings files: what is read is written and read again.
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "heed/cli/options/settings_file.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

// A command with an option of each kind.
struct Command {
  cli::Options options{"fuzz", "Tries settings"};
  std::string name;
  int64_t number = 1;
  double real = 0.5;
  bool flag = false;
  std::vector<std::string> list;

  Command() {
    options.add("--name", name, "A text");
    options.add("--number", number, "A whole number");
    options.add("--real", real, "A number");
    options.flag("--flag", flag, "Yes or no");
    options.add("--list", list, "Texts").repeats().one_word_each();
    options.finish();
  }

  void read(const std::string& text) {
    std::istringstream in(text);
    cli::read_settings(options, in, "fuzz.toml");
  }
};

}  // namespace

void one(std::string_view input) {
  Command command;
  command.read(std::string(input));
  const std::string text = cli::settings_text(command.options);
  Command again;
  again.read(text);
  expect(cli::settings_text(again.options) == text);
}

}  // namespace heed::fuzz
