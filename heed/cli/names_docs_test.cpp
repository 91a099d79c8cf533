// docs/names.md knows every setting of a model, of its training and of what it writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "heed/cli/command.h"
#include "heed/cli/options/suggestion.h"
#include "heed/io/testing/test_files.h"

namespace heed::cli {
namespace {

bool option_is(std::string told, const std::string& name) {
  std::replace(told.begin(), told.end(), '-', '_');
  return told == name;
}

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

// The words of a cell in backquotes; `options`: those that begin with two hyphens, else those that
// could be typed as an option, without the value or the brackets behind them.
std::set<std::string> quoted_in(const std::string& cell, bool options) {
  static const std::regex option("`(--[a-z0-9-]+)");
  static const std::regex name("`(?:--)?([a-z][a-z0-9_]+?)_?(?:=[^`]*|\\(\\)|\\([^`]*\\))?`");
  const std::regex& wanted = options ? option : name;
  std::set<std::string> found;
  for (std::sregex_iterator each(cell.begin(), cell.end(), wanted), end; each != end; ++each) {
    found.insert((*each)[1].str());
  }
  return found;
}

// Whoever types another name is told one of the row's options, by some command that has one;
// where a command has an option of that name itself, it means that.
TEST(NamesOfOthers, LeadToTheOptionsOfTheirRow) {
  // What is said of a function or a tensor, and is no setting by itself.
  const std::set<std::string> no_settings = {"concat", "edge_index", "fbank", "heads",
                                             "requires_grad"};
  const std::string docs = test::slurp("docs/names.md");
  std::vector<Parser> parsers;
  for (const Command& command : commands()) parsers.push_back(parser_of(command));
  int names = 0;
  std::istringstream lines(docs);
  for (std::string line; std::getline(lines, line);) {
    const size_t second = line.find(" | ");
    if (!line.starts_with("| `--") || second == std::string::npos) continue;
    const std::set<std::string> ours = quoted_in(line.substr(0, second), true);
    for (const std::string& name : quoted_in(line.substr(second), false)) {
      if (no_settings.count(name) > 0) continue;
      ++names;
      bool leads = false;
      for (const Parser& parser : parsers) {
        const std::string told = option_called(*parser.options, name);
        leads = leads || ours.count("--" + told) > 0 || option_is(told, name);
      }
      EXPECT_TRUE(leads) << name << " in " << line;
    }
  }
  EXPECT_GT(names, 100);
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
  EXPECT_EQ(settings, 12);
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
