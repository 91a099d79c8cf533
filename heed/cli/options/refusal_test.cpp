#include "heed/cli/options/refusal.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "heed/cli/options/settings_file.h"

namespace heed::cli {
namespace {

struct RefusalSample {
  int64_t batch_size = 8;
  double share = 0.5;
  std::string out;
  std::vector<std::string> special;
  Options options{"heed sample", "A command"};

  RefusalSample() {
    options.add("--batch-size", batch_size, "How many");
    options.add("--valid-share", share, "How much");
    options.add("--out", out, "Where");
    options.add("--special", special, "Which");
    options.finish();
  }
};

TEST(Refusal, NamesTheOptionAsItIsTyped) {
  const RefusalSample sample;
  const auto said = [&](const char* message) { return as_typed(sample.options, message); };
  EXPECT_EQ(said("batch_size: expected 1, got 0"), "--batch-size: expected 1, got 0");
  EXPECT_EQ(said("special_tokens: expected one"), "--special: expected one");
  EXPECT_EQ(said("--out a b: expected another"), "--out a b: expected another");
  for (const char* other : {"data.tsv: no such file", "a/batch_size: no such file",
                            "batch size: expected 1", "width: expected 1", "nothing"}) {
    EXPECT_EQ(said(other), other);
  }
}

TEST(Refusal, NamesTheLineOfTheSettingsFile) {
  RefusalSample sample;
  sample.options.parse({"--valid-share", "0.3"});
  std::istringstream in("# first\nbatch-size = 3\nvalid-share = 0.7\nout = 'x'\n");
  read_settings(sample.options, in, "s.toml");
  const auto said = [&](const char* message) { return as_typed(sample.options, message); };
  EXPECT_EQ(said("batch_size: expected 4"), "s.toml:2: --batch-size: expected 4");
  EXPECT_EQ(said("--out x: expected another"), "s.toml:4: --out x: expected another");
  EXPECT_EQ(said("valid_share: expected 0"), "--valid-share: expected 0");  // typed
}

}  // namespace
}  // namespace heed::cli
