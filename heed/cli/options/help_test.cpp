#include "heed/cli/options/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "heed/cli/options/options.h"

namespace heed::cli {
namespace {

using testing::HasSubstr;

struct HelpSample {
  std::string norm = "layer";
  int64_t layers = 4;
  double share = 0.5;
  bool bias = true;
  std::vector<std::string> files;
  Options options{"heed s",
                  "Train a model of a kind that needs a long description to be understood",
                  "  heed s file\n"};

  HelpSample() {
    options.add("files", files, "What to read").required();
    options.add("--norm", norm, "Which norm").one_of({"layer", "rms"});
    options.add("--num-layers", layers, "How many").at_least(1).group("Model");
    options.add("--share", share, "How much of it all, at the very least, if that is possible")
        .range(0.0, 1.0)
        .group("Model");
    options.add("--bias", bias, "Whether");
  }
};

TEST(Help, FitsTheTerminal) {
  HelpSample sample;
  for (const size_t width : {30, 40, 60, 80, 100, 200}) {
    std::istringstream lines(help_text(sample.options, width));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width) << line;
  }
}

TEST(Help, ALongExampleGoesOnBehindABackslash) {
  const Options options("heed s", "Does it",
                        "  heed s --first 1 --text 'two words  here' --second 2 --third 3\n"
                        "  heed s short\n");
  const auto shown = [&](size_t width) {
    const std::string help = help_text(options, width);
    return help.substr(help.find("Examples:"));
  };
  EXPECT_EQ(shown(80),
            "Examples:\n"
            "  heed s --first 1 --text 'two words  here' --second 2 --third 3\n"
            "  heed s short\n");
  EXPECT_EQ(shown(40),
            "Examples:\n"
            "  heed s --first 1 --text \\\n"
            "      'two words  here' --second 2 \\\n"
            "      --third 3\n"
            "  heed s short\n");
}

TEST(Help, SaysWhatMayBeGiven) {
  HelpSample sample;
  const std::string help = help_text(sample.options, 200);
  EXPECT_THAT(help, HasSubstr("Usage: heed s [OPTIONS] files..."));
  EXPECT_THAT(help, HasSubstr("Which norm. One of layer, rms. Default: layer."));
  EXPECT_THAT(help, HasSubstr("How many. At least 1. Default: 4."));
  EXPECT_THAT(help, HasSubstr("From 0 to 1. Default: 0.5."));
  EXPECT_THAT(help, HasSubstr("Whether. One of true, false. Default: true."));
  EXPECT_THAT(help, HasSubstr("What to read. Required."));
  EXPECT_THAT(help, HasSubstr("\nModel:\n"));
  EXPECT_THAT(help, HasSubstr("Examples:\n  heed s file\n"));
}

TEST(Help, WrapsBehindWhatStandsThere) {
  EXPECT_EQ(wrapped("aaaa bbbb cccc dddd eeee ffff", 30, 4, 2),
            "  aaaa bbbb cccc dddd eeee\n    ffff");
  EXPECT_EQ(wrapped("", 30, 4, 4), "");
  EXPECT_EQ(wrapped(std::string(50, 'x'), 30, 0), std::string(50, 'x'));
}

}  // namespace
}  // namespace heed::cli
