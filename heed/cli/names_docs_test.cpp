// docs/names.md knows every setting of a model, of its training and of what it writes.
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

// With what docs/language_models.md says of each.
TEST(NamesOfGenerationSettings, StandInTheTables) {
  const std::string names = test::slurp("docs/names.md");
  const std::string docs = test::slurp("docs/language_models.md");
  int settings = 0;
  for (const Command& command : commands()) {
    if (command.path != "generate") continue;
    const Parser parser = parser_of(command);
    for (const OptionInfo& option : parser.options->all()) {
      if (option.group != "Choosing tokens") continue;
      ++settings;
      const std::string& name = option.names.back();
      EXPECT_NE(names.find("`" + name + "`"), std::string::npos) << name;
      const std::string values = option.range.empty() ? "any" : option.range;
      const std::string row = "| `" + name + "` | " + values + " | " + option.standard + " | " +
                              option.description + " |\n";
      EXPECT_NE(docs.find(row), std::string::npos) << row;
    }
  }
  EXPECT_EQ(settings, 10);
}

}  // namespace
}  // namespace heed::cli
