// What holds for each of the commands; tests/python/test_program.py starts a few of them.
#include "heed/cli/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/cli/options/help.h"

namespace heed::cli {
namespace {

TEST(EveryCommand, HasHelpWithExamplesOfItself) {
  for (const Command& command : commands()) {
    SCOPED_TRACE(command.path);
    const Parser parser = parser_of(command);
    const std::string help = help_text(*parser.options, 100);
    const size_t examples = help.find("Examples:\n");
    ASSERT_NE(examples, std::string::npos);
    EXPECT_THAT(help.substr(examples), testing::HasSubstr("heed " + command.path));
  }
}

}  // namespace
}  // namespace heed::cli
