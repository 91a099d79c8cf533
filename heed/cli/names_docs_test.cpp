// docs/names.md knows every setting of a model and of its training.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "heed/cli/command.h"
#include "heed/io/testing/test_files.h"

namespace heed::cli {
namespace {

TEST(NamesOfSettings, StandInTheTable) {
  const std::string docs = test::slurp("docs/names.md");
  const std::set<std::string> groups = {"Model", "Attention", "Training"};
  int settings = 0;
  for (const Command& command : commands()) {
    if (!command.path.starts_with("train ")) continue;
    const Parser parser = parser_of(command);
    for (const OptionInfo& option : parser.options->all()) {
      if (groups.count(option.group) == 0) continue;
      ++settings;
      const std::string& name = option.names.back();
      const bool known = docs.find("`" + name + "`") != std::string::npos ||
                         docs.find("`" + name + " ") != std::string::npos;
      EXPECT_TRUE(known) << command.path << " " << name;
    }
  }
  EXPECT_GT(settings, 100);
}

}  // namespace
}  // namespace heed::cli
