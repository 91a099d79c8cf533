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
      if (!option.field && groups.count(option.group) == 0) continue;
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

// What is declared by hand, not in a list of fields, is about files, their columns and what is
// printed: a setting of a model, a vocabulary or its training belongs into the list beside its
// struct, which checks, config.json and the tables of docs/ follow.
TEST(OptionsDeclaredByHand, AreNoSettingsOfModels) {
  const std::set<std::string> by_hand = {
      // Files, and what is done with them.
      "files", "--train", "--valid", "--valid-share", "--test-share", "--split", "--from", "--out",
      "--resume", "--overwrite", "--watch", "--json", "--threads", "--help", "--config",
      "--print-config",
      // How they are read.
      "--format", "--delimiter", "--header", "--encoding", "--max-bytes", "--max-classes",
      "--max-pixels", "--skip-bad", "--missing", "--images", "--labels", "--edges", "--item-names",
      // Columns.
      "--text-column", "--label-column", "--source-column", "--target-column", "--file-column",
      "--time-column", "--series", "--series-column", "--value-column", "--user-column",
      "--item-column", "--name-column", "--node-column", "--split-column", "--target", "--ignore",
      "--numbers", "--categories", "--covariates", "--season",
      // Lists of texts, which no field is.
      "--special", "--normalizer"};
  int fields = 0;
  for (const Command& command : commands()) {
    if (!command.path.starts_with("train ") && command.path != "tokenize train") continue;
    const Parser parser = parser_of(command);
    for (const OptionInfo& option : parser.options->all()) {
      const std::string& name = option.names.back();
      fields += option.field ? 1 : 0;
      EXPECT_TRUE(option.field || by_hand.count(name) > 0)
          << command.path << " " << name << ": is it a setting of a model? Then see nn/fields.h";
    }
  }
  EXPECT_GT(fields, 500);
}

}  // namespace
}  // namespace heed::cli
